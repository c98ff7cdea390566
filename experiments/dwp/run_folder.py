"""A folder of runs of one experiment, which many commands may add to.

settings.json     what all runs in it have in common
runs/<name>.json  a run: what tells it from others, and what it found
prior/            kernels and autoencoders that were made for it
"""

import dataclasses
import hashlib
import pathlib

from experiments import files
from experiments import provenance
from experiments.errors import ExperimentError


def told(config):
    """Returns settings as a file has them, inputs by their contents.

    Args:
        config: a dataclass with `kernels` and `autoencoders`, paths.
    """
    found = dataclasses.asdict(config)
    for name in ("kernels", "autoencoders"):
        found[name] = [_fingerprint(path) for path in found[name]]
    return found


def check_settings(folder, settings):
    """Refuses a folder of other settings; writes these into a new one.

    Args:
        folder: a `pathlib.Path`.
        settings: a dictionary that JSON can hold.

    Raises:
        ExperimentError: naming the settings that differ.
    """
    path = folder / "settings.json"
    if path.exists():
        found = files.read_json(path)
        if found != settings:
            keys = sorted({*found, *settings})
            other = [k for k in keys if found.get(k) != settings.get(k)]
            raise ExperimentError(
                f"--output_dir: {folder} holds runs of other settings "
                f"({', '.join(other)}). Choose another folder, or remove it."
            )
    files.write_json(path, settings)


def once(folder, run, function):
    """Makes a run, unless it is there.

    Args:
        folder: a `pathlib.Path`.
        run: what tells the run from others, a dictionary; its values make the
            name of its file.
        function: without arguments; it returns what the run found, a
            dictionary.

    Returns:
        The record: `"run"`, `"found"` and `"provenance"`.
    """
    there = folder / "runs"
    there.mkdir(exist_ok=True)
    path = there / f"{'_'.join(str(value) for value in run.values())}.json"
    if not path.exists():
        record = {
            "run": run,
            "found": function(),
            "provenance": provenance.describe(),
        }
        files.write_json(path, record)
    return files.read_json(path)


def records(folder, like):
    """Reads all runs of a folder.

    Args:
        folder: a `pathlib.Path`.
        like: what tells one run from others, whose keys all must have.

    Returns:
        List of records, those of other commands among them.
    """
    found = [
        files.read_json(path)
        for path in sorted((folder / "runs").glob("*.json"))
    ]
    for record in found:
        if set(record.get("run", ())) != set(like):
            raise ExperimentError(
                f"--output_dir: {folder} holds runs of another experiment."
            )
    return found


def commits(found):
    """Says which commits on which machines made runs, a sentence a line."""
    counts = {}
    for record in found:
        made = record["provenance"]
        name = (
            f"commit {made['commit'][:7]}{made['commit'][40:]}, "
            f"{provenance.hardware(made)}, {provenance.software(made)}"
        )
        counts[name] = counts.get(name, 0) + 1
    return [
        f"{count} run{'s' if count > 1 else ''}: {name}."
        for name, count in counts.items()
    ]


def _fingerprint(path):
    try:
        digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise ExperimentError(
            f"{path}: expected a file; {error.strerror}."
        ) from error
    return f"{pathlib.Path(path).name} {digest[:12]}"

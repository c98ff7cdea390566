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

_SETTINGS = "settings.json"


def begin(folder, config):
    """Refuses a folder of other settings; writes these into a new one.

    Args:
        folder: a `pathlib.Path`.
        config: a dataclass with `kernels` and `autoencoders`, paths; their
            files count by their contents.

    Raises:
        ExperimentError: naming the settings that differ.
    """
    settings = dataclasses.asdict(config)
    for name in ("kernels", "autoencoders"):
        settings[name] = [_fingerprint(path) for path in settings[name]]
    path = folder / _SETTINGS
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


def finish(folder, like):
    """Writes `results.json` with all runs; see `records`, whose they are."""
    found = records(folder, like)
    settings = files.read_json(folder / _SETTINGS)
    files.write_json(
        folder / "results.json", {"settings": settings, "runs": found}
    )
    return found


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
    return provenance.counted([one["provenance"] for one in found], "run")


def _fingerprint(path):
    try:
        digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise ExperimentError(
            f"{path}: expected a file; {error.strerror}."
        ) from error
    return f"{pathlib.Path(path).name} {digest[:12]}"

"""A folder of runs of one experiment, which many commands may add to.

settings.json     what all runs in it have in common
runs/<name>.json  a run: what tells it from others, and what it found
prior/            kernels and autoencoders that were made for it
networks/         weights that runs of one training share

Of several workers all make a run together, and the first writes.
"""

import dataclasses
import hashlib
import pathlib

import tensorflow as tf

from bbh_tf import workers
from experiments import files
from experiments import flag_checks
from experiments import provenance
from experiments.errors import ExperimentError

_SETTINGS = "settings.json"


def begin(folder, config, strategy=None):
    """Refuses a folder of other settings; writes these into a new one.

    Args:
        folder: a `pathlib.Path`.
        config: a dataclass with `kernels` and `autoencoders`, paths; their
            files count by their contents.
        strategy: the `tf.distribute.Strategy` of all workers; None for the
            one in force.

    Raises:
        ExperimentError: naming the settings that differ.
    """
    settings = dataclasses.asdict(config)
    for name in ("kernels", "autoencoders"):
        with flag_checks.naming(name):
            settings[name] = [fingerprint(path) for path in settings[name]]
    found = files.settings_of(folder, _SETTINGS)
    if found is not None:
        # Where a setting is younger than the file, it had its default.
        found = {**_defaults(config), **found}
    if found not in (None, settings):
        keys = sorted({*found, *settings})
        other = [k for k in keys if found.get(k) != settings.get(k)]
        raise ExperimentError(
            f"--output_dir: {folder} holds runs of other settings "
            f"({', '.join(other)}). Choose another folder, or remove it."
        )
    if workers.is_chief(strategy):
        files.write_json(folder / _SETTINGS, settings)


def _defaults(config):
    return {
        field.name: field.default
        for field in dataclasses.fields(config)
        if field.default is not dataclasses.MISSING
        and not isinstance(field.default, tuple)
    }


def once(folder, run, function, strategy=None):
    """Makes a run, unless it is there.

    Args:
        folder: a `pathlib.Path`.
        run: what tells the run from others, a dictionary; its values make the
            name of its file.
        function: without arguments; it returns what the run found, a
            dictionary.
        strategy: see `begin`.

    Returns:
        The record: `"run"`, `"found"`, `"num_replicas"` (none in older ones,
        which had one) and `"provenance"`.
    """
    strategy = strategy or tf.distribute.get_strategy()
    there = folder / "runs"
    there.mkdir(exist_ok=True)
    path = there / f"{'_'.join(str(value) for value in run.values())}.json"
    if workers.of_chief(path.exists(), strategy):
        return _read(path)
    record = {
        "run": run,
        "found": function(),
        "num_replicas": strategy.num_replicas_in_sync,
        "provenance": provenance.describe(),
    }
    if workers.is_chief(strategy):
        files.write_json(path, record)
    return record


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
        _read(path) for path in sorted((folder / "runs").glob("[!.]*.json"))
    ]
    for record in found:
        if set(record["run"]) != set(like):
            raise ExperimentError(
                f"--output_dir: {folder} holds runs of another experiment."
            )
    return found


def _read(path):
    return files.read_json(
        path, ("run", "found", "provenance"), "the record of a run"
    )


def commits(found):
    """Says which commits on which machines made runs, a sentence a line."""
    return provenance.counted([one["provenance"] for one in found], "run")


def fingerprint(path):
    """Returns a file's name and what tells its contents, a text.

    Raises:
        ExperimentError: if it cannot be read.
    """
    try:
        digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise ExperimentError(
            f"{path}: expected a file; {error.strerror}."
        ) from error
    return f"{pathlib.Path(path).name} {digest[:12]}"

"""Runs that are done, for what is made of them afterwards."""

import pathlib

from experiments import files
from experiments import lazy
from experiments.errors import ExperimentError
from experiments.reporting import found as founds

checkpoints = lazy.import_module("experiments.checkpoints")


def find(folders):
    """Finds runs in output folders of experiments.

    Returns:
        List of pairs of a run's folder, a `pathlib.Path`, and what its
        `results.json` has.

    Raises:
        ExperimentError: if there is none, or one is of no table.
    """
    trained = [
        (path.parent, founds.read(path)[1])
        for folder in folders
        for path in sorted(pathlib.Path(folder).glob("*/seed_*/results.json"))
    ]
    if not trained:
        raise ExperimentError(
            "--runs: expected folders with results of runs; got "
            f"{','.join(map(str, folders)) or 'none'}."
        )
    return trained


def load(folder):
    """Returns the model of a run's checkpoint.

    Raises:
        ExperimentError: if there is none.
    """
    loaded = checkpoints.Checkpoints(folder).load()
    if loaded is None:
        raise ExperimentError(
            f"--runs: {folder} has no model; expected a folder that its "
            "experiment wrote on this machine, with --keep_model."
        )
    return loaded[0]


def has_model(folder):
    """Returns whether a run's trained model is there."""
    return (pathlib.Path(folder) / "state.json").exists()


def made_before(path, settings, trained, what):
    """Reads what was made of a run before; None where nothing was.

    Args:
        path: the file, a `pathlib.Path`.
        settings: what it is to be made with.
        trained: what tells the run from others.
        what: what the file holds, for the message.

    Raises:
        ExperimentError: if it is of other settings or another run.
    """
    if not path.exists():
        return None
    found = files.read_json(
        path, ("settings", "trained"), f"{what} that this command wrote"
    )
    if found["settings"] != settings or found["trained"] != trained:
        raise ExperimentError(
            f"--output_dir: {path} holds {what} of other settings or of "
            "another run. Choose another folder, or remove that one."
        )
    return found

"""Files that are whole or not there."""

import contextlib
import fcntl
import json
import os
import pathlib

from experiments.errors import ExperimentError

# What experiments make with the settings of a folder: trials, runs, and what
# these share. What a killed command left half begins with a dot.
_MADE = (
    *("trials/[!.]*.json", "runs/[!.]*.json"),
    *("prior/[!.]*", "networks/[!.]*", "results.json"),
)


def write_json(path, value):
    """Writes a value as JSON, in one step as seen from outside."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def write_text(path, text):
    """Writes a text, in one step as seen from outside."""
    with replacing(path) as temporary:
        temporary.write_text(text)


@contextlib.contextmanager
def replacing(path):
    """Gives a path to write to, and puts the file in place when done.

    Args:
        path: where the file is to stand.

    Yields:
        A path in the same folder, with the same endings.

    Raises:
        ExperimentError: if the disk is full or may not be written.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".partial_{path.name}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise ExperimentError(
            f"{path}: expected a file that can be written; {error.strerror}."
        ) from error
    finally:
        # Where nothing could be written, nothing is left.
        with contextlib.suppress(OSError):
            temporary.unlink()


def read_json(path, keys=(), expected=None):
    """Reads a JSON file that holds an object, as all of the experiments do.

    Args:
        path: the file.
        keys: keys that the object has.
        expected: what an object with these keys is, for the message.

    Raises:
        ExperimentError: if it holds anything else.
    """
    try:
        found = json.loads(pathlib.Path(path).read_text())
    except (ValueError, OSError) as error:
        raise ExperimentError(
            f"{path}: expected a JSON file; {error}."
        ) from error
    if not isinstance(found, dict):
        raise ExperimentError(
            f"{path}: expected a JSON object; got {type(found).__name__}."
        )
    if not set(keys) <= found.keys():
        raise ExperimentError(f"{path}: expected {expected}.")
    return found


def read_json_lines(path):
    """Reads a file with a line of JSON for each epoch.

    Raises:
        ExperimentError: if a line is none.
    """
    try:
        lines = pathlib.Path(path).read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]
    except ValueError as error:
        raise ExperimentError(
            f"{path}: expected a line of JSON for each epoch; {error}."
        ) from error


def settings_of(folder, name):
    """Reads the settings of what a folder holds; None where it holds nothing.

    A command that stopped at a mistake may have left its settings, which are
    then of nothing. What another experiment made counts, too: its settings
    would be lost.

    Args:
        folder: a `pathlib.Path`.
        name: the file of the settings.

    Raises:
        ExperimentError: if there is something, without settings.
    """
    places = (path for pattern in _MADE for path in folder.glob(pattern))
    place = next(places, None)
    if place is None:
        return None
    if not (folder / name).exists():
        raise ExperimentError(
            f"--output_dir: expected {folder / name}, which says what "
            f"{place} is of; it is not there. Choose another folder."
        )
    return read_json(folder / name)


def check_results(folder, settings):
    """Refuses a folder whose results are of other settings.

    They would be lost to a command that writes all of its own at once.

    Args:
        folder: a `pathlib.Path`.
        settings: dictionary of what `results.json` is to have.

    Raises:
        ExperimentError: naming what differs first.
    """
    path = folder / "results.json"
    if not path.exists():
        return
    found = read_json(path)
    # Through JSON, which has no tuples.
    for name, value in json.loads(json.dumps(settings)).items():
        if name not in found or found[name] != value:
            raise ExperimentError(
                f"--output_dir: {path} holds results of another experiment or "
                f"of other settings ({name}). Choose another folder, or remove "
                "that one."
            )


@contextlib.contextmanager
def only_user(folder, flag="--output_dir"):
    """Makes a folder and keeps a second run out of it.

    A folder in which nothing was written is removed again.

    Args:
        folder: the folder, a path.
        flag: what says which it is.

    Yields:
        The folder, a `pathlib.Path`.

    Raises:
        ExperimentError: if it cannot be made or another run is in it.
    """
    folder = pathlib.Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / ".lock", "w")
    except OSError as error:
        raise ExperimentError(
            f"{flag}: expected a folder that can be written; got "
            f"{folder}: {error.strerror}."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ExperimentError(
                f"{flag}: another run is writing to {folder}."
            ) from error
        try:
            yield folder
        finally:
            if [path.name for path in folder.iterdir()] == [".lock"]:
                (folder / ".lock").unlink()
                folder.rmdir()

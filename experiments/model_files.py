"""Reads models and weights that may be broken."""

import zipfile
import zlib

import keras

from experiments.errors import ExperimentError

_BROKEN = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    zipfile.BadZipFile,
    zlib.error,
)


def load(path, expected):
    """Reads a model.

    Args:
        path: the file.
        expected: what it is to hold, for the message.

    Returns:
        A `keras.Model`.

    Raises:
        ExperimentError: if it is no such file, or not whole.
    """
    return _from(path, expected, lambda: keras.models.load_model(path))


def load_weights(model, path):
    """Reads the weights of a model that is there; see `load`."""
    _from(path, "weights", lambda: model.load_weights(path))


def _from(path, expected, read):
    try:
        return read()
    except _BROKEN as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise ExperimentError(
            f"{path}: expected {expected}, whole; {lines[0]}"
        ) from error

"""Reads files of arrays that may be broken."""

import zipfile
import zlib

import numpy as np

from experiments.errors import ExperimentError


def read(path):
    """Reads the arrays of an `.npz` file.

    Args:
        path: the file.

    Returns:
        Dictionary of arrays.

    Raises:
        ExperimentError: if it is no such file, or not whole.
    """
    return _from(path, dict)


def names(path):
    """Reads only what the arrays of an `.npz` file are called, as `read`."""
    return _from(path, lambda archive: list(archive.files))


def _from(path, take):
    try:
        # Open here, so that it is closed where it is no archive.
        with open(path, "rb") as file:
            found = np.load(file, allow_pickle=False)
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError("it is one array")
            return take(found)
    except (
        OSError,
        ValueError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ExperimentError(
            f"{path}: expected a file of arrays (.npz), whole; {error}."
        ) from error

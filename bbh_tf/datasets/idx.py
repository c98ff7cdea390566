"""The IDX files in which MNIST and its kin were published."""

import gzip
import hashlib
import pathlib
import struct
import zlib

import numpy as np

# Third byte 8: unsigned bytes; fourth: number of axes.
_LABELS_MAGIC = 0x0801
_IMAGES_MAGIC = 0x0803


def read_images(path):
    """Reads images.

    Args:
        path: str or path of an IDX file of images, gzipped or not.

    Returns:
        uint8 array `(examples, height, width)`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no whole IDX file of images.
    """
    return _read(path, _IMAGES_MAGIC, "images")


def read_labels(path):
    """Reads labels.

    Args:
        path: str or path of an IDX file of labels, gzipped or not.

    Returns:
        uint8 array `(examples,)`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no whole IDX file of labels.
    """
    return _read(path, _LABELS_MAGIC, "labels")


def check_sha256(path, expected):
    """Refuses a file whose bytes are not those that were published.

    Args:
        path: str or path.
        expected: the SHA-256 digest in hexadecimal.

    Raises:
        ValueError: if the digest is another.
    """
    digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    if digest != expected:
        raise ValueError(
            f"{path}: expected SHA-256 {expected}, got {digest}; the file is "
            "damaged or not the one that was published."
        )


def _read(path, magic, what):
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected an IDX file of {what}.")
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(
            f"{path}: expected a whole gzip file, it is cut short or damaged "
            f"({error})."
        ) from error
    num_axes = magic & 0xFF
    header = 4 + 4 * num_axes
    if len(content) < header:
        raise ValueError(
            f"{path}: expected an IDX header of {header} bytes, got "
            f"{len(content)} bytes."
        )
    found, *shape = struct.unpack(f">{1 + num_axes}I", content[:header])
    if found != magic:
        raise ValueError(
            f"{path}: expected an IDX file of {what} (magic {magic}), got "
            f"magic {found}."
        )
    values = np.frombuffer(content, np.uint8, offset=header)
    if values.size != np.prod(shape, dtype=np.int64):
        raise ValueError(
            f"{path}: expected {' x '.join(map(str, shape))} bytes after the "
            f"header, got {values.size}; the file is cut short or damaged."
        )
    return values.reshape(shape)

"""Images as they travel: one byte a pixel, where they have few values."""

import dataclasses

import numpy as np
import tensorflow as tf

_MOST_VALUES = 256


@dataclasses.dataclass(frozen=True)
class ExportedImages:
    """Images, or their numbers in a table of the values that they have.

    Through the table a pixel is, on any device, the very number that it was
    here; a division there might round otherwise.

    Attributes:
        codes: `uint8` array of the images' shape; or the `float32` images
            themselves, where they have more than 256 values.
        values: `float32` array of the values in ascending order; one zero,
            which is not looked at, where `codes` are the images.
    """

    codes: np.ndarray
    values: np.ndarray


def encode(images):
    """Finds the shortest form of images.

    Args:
        images: `float32` array `(examples, height, width, channels)`.

    Returns:
        An `ExportedImages`.
    """
    values = _values_of(images)
    if values is None:
        return ExportedImages(images, np.zeros(1, np.float32))
    codes = np.searchsorted(values, images.ravel()).astype(np.uint8)
    return ExportedImages(codes.reshape(images.shape), values)


def decode(codes, values):
    """Turns what travelled back into images, in TensorFlow.

    Args:
        codes: tensor, some of the codes of an `ExportedImages`.
        values: tensor, all its values.

    Returns:
        `float32` tensor of the codes' shape, equal to the images.
    """
    if codes.dtype == tf.float32:
        return codes
    return tf.gather(values, tf.cast(codes, tf.int32))


def _values_of(images):
    """Returns the images' values in ascending order; None if too many."""
    found = np.zeros(0, np.float32)
    # One after the other: all pixels at once take seconds to sort, and random
    # ones are too many at the first image.
    for part in np.array_split(images, max(1, len(images) // 1000)):
        found = np.union1d(found, part)
        if len(found) > _MOST_VALUES:
            return None
    return found

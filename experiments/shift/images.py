"""Test images that are turned, and mixed, little by little."""

import pathlib
import typing

import numpy as np
from scipy import ndimage

from bbh_tf.datasets import idx
from experiments.errors import ExperimentError

# Of the digits that the authors' code turns and mixes: class, and place in
# MNIST's test set as it was published.
_PUBLISHED = {3: 270, 1: 202, 6: 217, 8: 391}
# Digit -> how far it is turned either way, degrees.
_TURNED = {3: 90, 1: 90, 6: 180}
_MIXED = (8, 3)
_STEP = 10
ANGLES = tuple(range(-90, 91, _STEP))
SHARES = tuple(step / 10 for step in range(11))
_FILES = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class Series(typing.NamedTuple):
    """An image that becomes another, step by step.

    Attributes:
        name: what is done to which digit.
        axis: what grows along the steps, with its unit.
        labels: the classes that are in it, a tuple.
        steps: how far each image is, a tuple of numbers.
        images: `float32` array `(steps, height, width, 1)`, from 0 to 1.
    """

    name: str
    axis: str
    labels: tuple
    steps: tuple
    images: np.ndarray


def turn(images, angle):
    """Turns images about their centre, anticlockwise.

    Between pixels values are interpolated, in both directions; what comes in
    from outside is black.

    Args:
        images: `float32` array `(examples, height, width, 1)`.
        angle: degrees; negative for clockwise.

    Returns:
        Array of the same shape.
    """
    turned = ndimage.rotate(
        images, angle, axes=(1, 2), reshape=False, order=1, mode="constant"
    )
    return np.clip(turned, 0, 1)


def series(images, labels, indices):
    """Makes the series of the authors' code.

    Args:
        images: test images, `float32` array `(examples, height, width, 1)`.
        labels: their classes.
        indices: places of a 3, a 1, a 6 and an 8; None for the first ones.

    Returns:
        List of `Series`: three digits that are turned, and two mixed.

    Raises:
        ExperimentError: if another digit is at a place.
    """
    chosen = {}
    for number, digit in enumerate(_PUBLISHED):
        place = (
            int(np.argmax(labels == digit))
            if indices is None
            else indices[number]
        )
        if place >= len(labels) or labels[place] != digit:
            found = labels[place] if place < len(labels) else "no image"
            raise ExperimentError(
                f"--indices: expected a {digit} at {place}; got {found}."
            )
        chosen[digit] = images[place]
    made = []
    for digit, most in _TURNED.items():
        steps = tuple(range(-most, most + 1, _STEP))
        one = chosen[digit][np.newaxis]
        turned = np.concatenate([turn(one, angle) for angle in steps])
        made.append(
            Series(
                f"a {digit}, turned",
                "degrees, anticlockwise",
                (digit,),
                steps,
                turned,
            )
        )
    first, last = (chosen[digit] for digit in _MIXED)
    mixed = [share * first + (1 - share) * last for share in SHARES]
    name = f"a {_MIXED[0]} and a {_MIXED[1]}, mixed"
    made.append(
        Series(
            name,
            f"share of the {_MIXED[0]}",
            _MIXED,
            SHARES,
            np.array(mixed, np.float32),
        )
    )
    return made


def published(folder):
    """Reads MNIST's test set in the order in which it was published.

    Args:
        folder: folder with its IDX files, gzipped or not.

    Returns:
        `(images, labels, indices)`: what `series` takes.

    Raises:
        ExperimentError: if the files are not there, or not whole.
    """
    paths = []
    for name in _FILES:
        path = pathlib.Path(folder) / name
        paths.append(path if path.exists() else path.with_name(f"{name}.gz"))
    try:
        images, labels = idx.read_images(paths[0]), idx.read_labels(paths[1])
    except (ValueError, OSError) as error:
        raise ExperimentError(f"--idx_dir: {error}") from error
    scaled = images[..., np.newaxis].astype(np.float32) / np.float32(255)
    return scaled, labels.astype(np.int32), tuple(_PUBLISHED.values())

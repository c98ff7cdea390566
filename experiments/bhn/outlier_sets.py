"""Images that are none of the digits, in one scale or in the authors'."""

import pathlib

import numpy as np
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf.datasets import idx
from bbh_tf.datasets import prepared
from experiments.errors import ExperimentError

_GREY = (0.299, 0.587, 0.114)
_OMNIGLOT = "omniglot-background-images-idx3-ubyte.gz"
_ALPHABETS = "alphabets.tsv"
# Of notMNIST the authors' file has so many.
_RELEASED_NOTMNIST = 1000


def load(data, preset, data_dir=None, notmnist_dir=None, omniglot_dir=None):
    """Loads all sets of outliers that there is a folder for.

    Under the preset `"paper"` every pixel is from 0 to 1, as the digits' are.
    `"released_code"` has the scales of the authors' code: Omniglot from 0 to
    255, notMNIST from -0.5 to 0.5 (1,000 images), normal noise as drawn.

    Args:
        data: an `image_sets.Parts`.
        preset: `"paper"` or `"released_code"`.
        data_dir: folder of prepared TFDS data with CIFAR-10, or None.
        notmnist_dir: folder of notMNIST, or None.
        omniglot_dir: folder of Omniglot's IDX file and `alphabets.tsv`, or
            None.

    Returns:
        Dictionary from names to `float32` arrays of the digits' shape.

    Raises:
        ExperimentError: naming the flag, if a folder cannot be read.
    """
    is_released = preset == "released_code"
    shape = data.test_images.shape
    generator = np.random.default_rng(0)
    uniform = generator.random(shape, np.float32)
    normal = generator.standard_normal(shape, np.float32)
    found = {
        "uniform": uniform,
        "normal": normal if is_released else np.clip(normal, 0, 1),
    }
    if data.letters is not None:
        found["letters"] = data.letters
    for name, flag, folder, read in (
        ("Omniglot", "omniglot_dir", omniglot_dir, _omniglot),
        ("CIFAR grey", "data_dir", data_dir, _cifar10),
        ("notMNIST", "notmnist_dir", notmnist_dir, _notmnist),
    ):
        if folder is None:
            continue
        try:
            images = read(pathlib.Path(folder), is_released)
        except (ValueError, OSError, ImportError, KeyError) as error:
            raise ExperimentError(f"--{flag}: {error}") from error
        if images.shape[1:] != shape[1:]:
            raise ExperimentError(
                f"--{flag}: expected images like the digits', {shape[1:]}; got "
                f"{images.shape[1:]}: these outliers are for MNIST."
            )
        found[name] = images.astype(np.float32)
    return found


def _omniglot(folder, is_released):
    """The 15 alphabets that have no shapes like digits."""
    heading, *rows = [
        line.split("\t")
        for line in (folder / _ALPHABETS).read_text("utf-8").splitlines()
    ]
    alphabets = [dict(zip(heading, row)) for row in rows]
    images = idx.read_images(folder / _OMNIGLOT)
    chosen = np.concatenate(
        [
            images[first : first + int(one["images"])]
            for one in alphabets
            if one["set"] == "background" and one["bhn_15"] == "1"
            for first in [int(one["first_image"])]
        ]
    )[..., None]
    return chosen if is_released else prepared.scaled(chosen)


def _cifar10(folder, is_released):
    del is_released
    source = prepared.PreparedDataset("cifar10", "CIFAR-10", folder)
    images, _ = source.read("test", 10_000, (32, 32, 3))
    grey = prepared.scaled(images) @ np.array(_GREY, np.float32)[:, None]
    small = tf.image.resize(grey, (28, 28), antialias=True)
    return np.clip(small.numpy(), 0, 1)


def _notmnist(folder, is_released):
    images, _ = bbh.datasets.load_notmnist(folder)
    return images[:_RELEASED_NOTMNIST] - 0.5 if is_released else images

"""Images in the three parts that the tasks train, choose and test on."""

import typing

import numpy as np

import bbh_tf as bbh
from bbh_tf.datasets import prepared
from experiments.errors import ExperimentError

_DIGITS_VALIDATION = 287
_MNIST_VALIDATION = 10_000
_CIFAR_VALIDATION = 5_000


class Parts(typing.NamedTuple):
    """Images, from 0 to 1, and labels, from 0 to 9.

    Attributes:
        train_images: `float32` array `(examples, height, width, channels)`.
        train_labels: `int32` array `(examples,)`.
        validation_images, validation_labels: likewise, to choose epochs by.
        test_images, test_labels: likewise.
        letters: images of letters of the same size, or None.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    letters: np.ndarray | None = None

    @property
    def image_shape(self):
        """Tuple `(height, width, channels)`."""
        return self.train_images.shape[1:]


def load(dataset, data_dir=None, num_train=None, num_test=None):
    """Loads a data set.

    Digits are split in 1,150, 287 and 360; MNIST in the authors' sizes of
    50,000, 10,000 and 10,000, in tensorflow-datasets' order, which is not
    theirs; CIFAR-10 in 45,000, 5,000 and 10,000.

    Args:
        dataset: `"digits"`, `"mnist"` or `"cifar10"`.
        data_dir: folder of prepared TFDS data; None for TFDS' own.
        num_train: training images to take, from the first on; None for all.
        num_test: validation and test images to take, at most.

    Returns:
        A `Parts`.

    Raises:
        ExperimentError: naming the flag, if data cannot be read or there are
            fewer training images than asked for.
    """
    try:
        parts = _LOADERS[dataset](data_dir)
    except (ValueError, OSError, ImportError) as error:
        raise ExperimentError(f"--data_dir: {error}") from error
    if num_train is not None and num_train > len(parts.train_labels):
        raise ExperimentError(
            f"--num_train: expected at most {len(parts.train_labels)}; got "
            f"{num_train}."
        )
    return parts._replace(
        train_images=parts.train_images[:num_train],
        train_labels=parts.train_labels[:num_train],
        validation_images=parts.validation_images[:num_test],
        validation_labels=parts.validation_labels[:num_test],
        test_images=parts.test_images[:num_test],
        test_labels=parts.test_labels[:num_test],
    )


def _digits(data_dir):
    del data_dir
    data = bbh.datasets.load("digits", num_validation=_DIGITS_VALIDATION)
    return Parts(
        data.train_images,
        data.train_labels,
        data.validation_images,
        data.validation_labels,
        data.test_images,
        data.test_labels,
        data.outlier_images,
    )


def _mnist(data_dir):
    data = bbh.datasets.load("mnist", data_dir)
    # The library's split has 5,000 images for validation, the authors' 10,000.
    images = np.concatenate([data.validation_images, data.train_images])
    labels = np.concatenate([data.validation_labels, data.train_labels])
    return _split(
        images, labels, _MNIST_VALIDATION, data.test_images, data.test_labels
    )


def _cifar10(data_dir):
    source = prepared.PreparedDataset("cifar10", "CIFAR-10", data_dir)
    (images, labels), (test_images, test_labels) = (
        source.read(split, count, (32, 32, 3))
        for split, count in (("train", 50_000), ("test", 10_000))
    )
    return _split(
        prepared.scaled(images),
        labels,
        _CIFAR_VALIDATION,
        prepared.scaled(test_images),
        test_labels,
    )


def _split(images, labels, count, test_images, test_labels):
    return Parts(
        images[count:],
        labels[count:],
        images[:count],
        labels[:count],
        test_images,
        test_labels,
    )


_LOADERS = {"digits": _digits, "mnist": _mnist, "cifar10": _cifar10}

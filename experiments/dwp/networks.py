"""The networks that a deep weight prior is for, and their images."""

import typing

import keras
import numpy as np

import bbh_tf as bbh
from bbh_tf.datasets import prepared
from experiments.errors import ExperimentError

_SLOPE = 0.01


class Convolution(typing.NamedTuple):
    """A convolution, unpadded, and the leaky ReLU after it.

    Attributes:
        filters: how many.
        size: height and width of a kernel.
        pools: whether a max-pooling of 2 x 2 follows.
    """

    filters: int
    size: int
    pools: bool


class Architecture(typing.NamedTuple):
    """A classifier of ten classes.

    Attributes:
        image_shape: `(height, width, channels)`.
        convolutions: list of `Convolution`.
        hidden: units of the dense layers before the last.
    """

    image_shape: tuple
    convolutions: tuple
    hidden: tuple = ()


class Images(typing.NamedTuple):
    """Training and test images in [0, 1], and their labels."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


# Those of MNIST and CIFAR-10 are the paper's (App. G and H); what is for the
# digits is not.
ARCHITECTURES = {
    "digits": Architecture(
        (8, 8, 1), (Convolution(16, 3, False), Convolution(32, 3, True))
    ),
    "mnist": Architecture(
        (28, 28, 1), (Convolution(32, 7, True), Convolution(128, 5, True))
    ),
    "cifar10": Architecture(
        (32, 32, 3),
        (
            Convolution(128, 7, True),
            Convolution(256, 5, False),
            Convolution(256, 5, False),
        ),
        (512,),
    ),
}
NUM_CLASSES = 10


def load(dataset, data_dir):
    """Loads all images of a data set; MNIST's 60,000 are for training.

    Args:
        dataset: a key of `ARCHITECTURES`.
        data_dir: where MNIST or CIFAR-10 lies, or None.

    Returns:
        `Images`.

    Raises:
        ExperimentError: if they are not there.
    """
    try:
        if dataset == "cifar10":
            return _cifar10(data_dir)
        data = bbh.datasets.load(dataset, data_dir)
    except (OSError, ValueError, ImportError) as error:
        raise ExperimentError(f"--data_dir: {error}") from error
    return Images(
        np.concatenate([data.train_images, data.validation_images]),
        np.concatenate([data.train_labels, data.validation_labels]),
        data.test_images,
        data.test_labels,
    )


def check_counts(images, num_train=None, num_test=None):
    """Refuses to take more images than there are.

    Args:
        images: `Images`.
        num_train: training images to take, or None for all.
        num_test: test images, likewise.

    Raises:
        ExperimentError: naming the flag.
    """
    for name, count, found in (
        ("num_train", num_train, images.train_labels),
        ("num_test", num_test, images.test_labels),
    ):
        if count is not None and count > len(found):
            raise ExperimentError(
                f"--{name}: expected at most {len(found)}; got {count}."
            )


def check_examples(images, num_examples):
    """Refuses more training examples than there are.

    Args:
        images: `Images`.
        num_examples: see `split`.

    Raises:
        ExperimentError: if there are not so many of a class.
    """
    fewest = np.bincount(images.train_labels, minlength=NUM_CLASSES).min()
    each = num_examples // NUM_CLASSES
    if fewest < each:
        raise ExperimentError(
            f"--num_examples: expected at most {fewest} of each class; got "
            f"{each}."
        )


def split(images, num_examples, seed):
    """Chooses training examples, as many of each class.

    Args:
        images: `Images`.
        num_examples: a multiple of the number of classes.
        seed: which split.

    Returns:
        Images and labels, in an order that is random too.

    Raises:
        ExperimentError: if there are not so many of a class.
    """
    check_examples(images, num_examples)
    each = num_examples // NUM_CLASSES
    generator = np.random.default_rng(seed)
    chosen = []
    for label in range(NUM_CLASSES):
        found = np.flatnonzero(images.train_labels == label)
        chosen.append(generator.permutation(found)[:each])
    order = generator.permutation(np.concatenate(chosen))
    return images.train_images[order], images.train_labels[order]


def convolutions(dataset, scale=1.0, l2_kernels=0.0, l2_biases=0.0):
    """Makes the convolutional part of a classifier.

    Args:
        dataset: a key of `ARCHITECTURES`.
        scale: factor on the numbers of filters, k of Figure 3.
        l2_kernels: factor of the sum of squares of the kernels.
        l2_biases: factor of that of their biases.

    Returns:
        List of Keras layers, an input first and a flattening last; the
        convolutions are `conv1`, `conv2`, ...
    """
    architecture = ARCHITECTURES[dataset]
    layers = [keras.Input(architecture.image_shape)]
    for index, convolution in enumerate(architecture.convolutions, start=1):
        layers += [
            keras.layers.Conv2D(
                _filters(convolution, scale),
                convolution.size,
                kernel_regularizer=_l2(l2_kernels),
                bias_regularizer=_l2(l2_biases),
                name=f"conv{index}",
            ),
            keras.layers.LeakyReLU(_SLOPE),
        ]
        if convolution.pools:
            layers.append(keras.layers.MaxPooling2D())
    return [*layers, keras.layers.Flatten()]


def head(dataset, seed):
    """Makes the dense part of a classifier, which gives logits.

    Args:
        dataset: a key of `ARCHITECTURES`.
        seed: seed of its initial weights.

    Returns:
        List of Keras layers.
    """
    layers = []
    for index, units in enumerate(ARCHITECTURES[dataset].hidden):
        initializer = keras.initializers.GlorotUniform(seed + 1 + index)
        layers += [
            keras.layers.Dense(units, kernel_initializer=initializer),
            keras.layers.LeakyReLU(_SLOPE),
        ]
    initializer = keras.initializers.GlorotUniform(seed)
    return [
        *layers,
        keras.layers.Dense(
            NUM_CLASSES, kernel_initializer=initializer, name="logits"
        ),
    ]


def classifier(dataset, seed):
    """Makes a classifier; see `convolutions` and `head`."""
    return keras.Sequential([*convolutions(dataset), *head(dataset, seed)])


def kernel_shapes(dataset, scale=1.0):
    """Returns the shapes of the convolutions' kernels, by their names."""
    architecture = ARCHITECTURES[dataset]
    shapes, inputs = {}, architecture.image_shape[-1]
    for index, convolution in enumerate(architecture.convolutions, start=1):
        filters = _filters(convolution, scale)
        size = convolution.size
        shapes[f"conv{index}"] = size, size, inputs, filters
        inputs = filters
    return shapes


def names_of(dataset):
    """Returns the names of a classifier's convolutions."""
    return list(kernel_shapes(dataset))


def _filters(convolution, scale):
    return max(1, round(scale * convolution.filters))


def _l2(factor):
    return keras.regularizers.L2(factor) if factor else None


def _cifar10(data_dir):
    dataset = prepared.PreparedDataset("cifar10", "CIFAR-10", data_dir)
    parts = []
    for part, count in (("train", 50_000), ("test", 10_000)):
        images, labels = dataset.read(part, count, (32, 32, 3))
        parts += [prepared.scaled(images), labels]
    return Images(*parts)

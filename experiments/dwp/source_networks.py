"""Networks whose kernels a deep weight prior learns from, and their data."""

import pathlib
import typing

import keras
import numpy as np

import bbh_tf as bbh
from bbh_tf.datasets import idx
from bbh_tf.datasets import letters
from bbh_tf.datasets import notmnist
from bbh_tf.datasets import prepared
from experiments import epoch_bar
from experiments import plain_network
from experiments import shuffled
from experiments.errors import ExperimentError

_SMALL = "notMNIST_small-images-idx3-ubyte.gz"
_SMALL_LABELS = "notMNIST_small-labels-idx1-ubyte.gz"
_SLOPE = 0.01
# PyTorch's numbers: Keras keeps the other part of its moving averages.
_NORMALIZATION = {"epsilon": 1e-5, "momentum": 0.9}


class Source(typing.NamedTuple):
    """A data set, a network for it, and how the network is trained.

    Attributes:
        load: from a data folder, or None, to images and labels.
        make: from the L2 factor to a network of logits.
        l2: factor of the sum of squares of the convolutions' parameters.
        epochs: the paper's number.
        min_norm: least norm of a slice that is kept, by kernel size.
    """

    load: typing.Callable
    make: typing.Callable
    l2: float
    epochs: int
    min_norm: dict


def _notmnist(data_dir):
    if data_dir is None:
        return notmnist.load_notmnist()
    small = pathlib.Path(data_dir) / _SMALL
    if not small.is_file():
        return notmnist.load_notmnist(data_dir)
    images = idx.read_images(small)[..., None] / np.float32(255)
    return images, idx.read_labels(small.with_name(_SMALL_LABELS))


def _cifar100(data_dir):
    dataset = prepared.PreparedDataset("cifar100", "CIFAR-100", data_dir)
    # A part of the images makes kernels too; the results say how many.
    images, labels = dataset.read("train", None, (32, 32, 3))
    return prepared.scaled(images), labels


def _letters(data_dir):
    del data_dir
    return letters.render_letters(8)


def _for_notmnist(l2):
    return plain_network.PlainNetwork(
        [
            keras.Input((28, 28, 1)),
            _convolution(256, 7, l2, "conv1"),
            keras.layers.LeakyReLU(_SLOPE),
            keras.layers.MaxPooling2D(),
            _convolution(512, 5, l2, "conv2"),
            keras.layers.LeakyReLU(_SLOPE),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(10, name="logits"),
        ]
    )


def _for_cifar100(l2):
    features = []
    for index, (filters, size) in enumerate(
        [(128, 7), (256, 5), (256, 5), (512, 5)], start=1
    ):
        features += [
            _convolution(filters, size, l2, f"conv{index}"),
            keras.layers.BatchNormalization(**_NORMALIZATION),
            keras.layers.LeakyReLU(_SLOPE),
        ]
        if index == 1:
            features.append(keras.layers.MaxPooling2D())
    return plain_network.PlainNetwork(
        [
            keras.Input((32, 32, 3)),
            *features,
            keras.layers.Flatten(),
            keras.layers.Dense(512),
            keras.layers.BatchNormalization(**_NORMALIZATION),
            keras.layers.LeakyReLU(_SLOPE),
            keras.layers.Dense(100, name="logits"),
        ]
    )


def _for_letters(l2):
    return plain_network.PlainNetwork(
        [
            keras.Input((8, 8, 1)),
            _convolution(32, 3, l2, "conv1"),
            keras.layers.LeakyReLU(_SLOPE),
            _convolution(64, 3, l2, "conv2"),
            keras.layers.LeakyReLU(_SLOPE),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(10, name="logits"),
        ]
    )


def _convolution(filters, size, l2, name):
    # Biases too, as in the authors' code.
    return keras.layers.Conv2D(
        filters,
        size,
        kernel_regularizer=keras.regularizers.L2(l2),
        bias_regularizer=keras.regularizers.L2(l2),
        name=name,
    )


# The thresholds are about the least norms of the kernels that the authors
# released, and for CIFAR that of a re-implementation: the paper has none.
SOURCES = {
    "notmnist": Source(_notmnist, _for_notmnist, 1e-3, 100, {7: 0.39, 5: 0.13}),
    "cifar100": Source(_cifar100, _for_cifar100, 1e-4, 300, {7: 0.2, 5: 0.2}),
    "letters": Source(_letters, _for_letters, 1e-3, 100, {3: 0.1}),
}


def load(dataset, data_dir):
    """Loads the images and labels of a source.

    Raises:
        ExperimentError: if they are not there.
    """
    try:
        return SOURCES[dataset].load(data_dir)
    except (OSError, ValueError, ImportError) as error:
        raise ExperimentError(f"--data_dir: {error}") from error


def l2(config):
    """Returns the L2 factor of a `settings.SourcesConfig`'s networks."""
    return SOURCES[config.dataset].l2 if config.l2 is None else config.l2


def train(images, labels, config, seed):
    """Trains one network: Adam, a rate that falls linearly to 0.

    Args:
        images: `(count, height, width, channels)`.
        labels: `(count,)`.
        config: a `settings.SourcesConfig`.
        seed: seed of the network and of its batches.

    Returns:
        `(network, accuracy)`: the trained network, and Keras' accuracy of the
        last epoch, on the images of each step before it.
    """
    keras.utils.set_random_seed(seed)
    network = SOURCES[config.dataset].make(l2(config))
    steps = -(-len(images) // config.batch_size) * config.epochs
    network.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.PolynomialDecay(1e-3, steps, 0.0)
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = network.fit(
        shuffled.batches((images, labels), config.batch_size, seed),
        shuffle=False,
        epochs=config.epochs,
        callbacks=[epoch_bar.EpochBar(f"network of seed {seed}")],
        verbose=0,
    )
    return network, history.history["accuracy"][-1]


def slices(network):
    """Returns all slices of each convolution of a network.

    Returns:
        Dictionary from names of layers to kernels `(count, k, k)`.
    """
    return {
        layer.name: bbh.models.kernel_slices(layer)
        for layer in network.layers
        if isinstance(layer, keras.layers.Conv2D)
    }


def kept(some, dataset, min_norm=None):
    """Drops slices of small norm.

    Args:
        some: kernels of one layer, `(count, k, k)`.
        dataset: a key of `SOURCES`.
        min_norm: the least norm that is kept; None for the source's.

    Returns:
        Kernels `(number, k, k)`.
    """
    if min_norm is None:
        min_norm = SOURCES[dataset].min_norm.get(some.shape[1], 0.0)
    return some[np.linalg.norm(some, axis=(1, 2)) >= min_norm]

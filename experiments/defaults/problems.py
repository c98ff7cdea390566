"""Data sets for the one calls: images, and tables that nobody tuned on."""

import dataclasses
import typing

import numpy as np

from experiments import data_sets
from experiments import image_data
from experiments import lazy

bbh = lazy.import_module("bbh_tf")

# Shares of a table that are tested on, and of its rest that is held out.
_TEST_SHARE, _HELD_OUT_SHARE = 0.2, 0.25
# Classes of a table, or None where labels are numbers.
_TABLES = {"breast_cancer": 2, "wine": 3, "diabetes": None}


class Dataset(typing.NamedTuple):
    """What all methods share on a data set.

    Attributes:
        title: what it is called.
        units: widths of the network: of the hidden layer of a table's, of the
            LeNet's three.
        kernel_size: of the LeNet's filters; None for a table.
        epochs: passes over the training set.
        batch_size: examples in a batch.
        dropout_rate: of MC dropout.
    """

    title: str
    units: tuple
    kernel_size: int | None
    epochs: int
    batch_size: int
    dropout_rate: float


def _images(title, network, epochs):
    units, size = network["units"], network["kernel_size"]
    return Dataset(title, tuple(units), size, epochs, 100, 0.5)


def _table(title):
    # The network and batches that benchmarks on such tables have.
    return Dataset(title, (50,), None, 100, 32, 0.1)


DATASETS = {
    "digits": _images("digits", data_sets.DATASETS["digits"].network, 100),
    "breast_cancer": _table("breast cancer"),
    "wine": _table("wine"),
    "diabetes": _table("diabetes"),
    "mnist": _images("MNIST", data_sets.DATASETS["mnist"].network, 10),
    # A LeNet: the ResNet's normalisation wants a choice of its own.
    "cifar5": _images("CIFAR5", data_sets.DATASETS["mnist"].network, 10),
}
NEED_NO_DATA = ("digits", *_TABLES)


@dataclasses.dataclass(frozen=True)
class Problem:
    """A data set, split.

    Attributes:
        train: `(x, y)` arrays; classes are integers, numbers have mean 0 and
            standard deviation 1 in the training part.
        test: likewise.
        outliers: `x` of what belongs to no class, or None.
        num_classes: of the labels; None where these are numbers.
    """

    train: tuple
    test: tuple
    outliers: np.ndarray | None
    num_classes: int | None

    @property
    def likelihood(self):
        """What `BayesianModel` takes."""
        if self.num_classes is None:
            return "normal_learned_scale"
        return "categorical_logits"

    @property
    def num_outputs(self):
        """Outputs of the network: logits, or a mean and a raw scale."""
        return self.num_classes or 2


def load(name, split, data_dir=None, held_out=False):
    """Loads a data set.

    Args:
        name: one of `DATASETS`.
        split: number of the split, from 0; images have one only.
        data_dir: folder of prepared TFDS data, or None.
        held_out: whether to test on a part of the training set, left out of
            training, for choosing settings.

    Returns:
        A `Problem`.

    Raises:
        ExperimentError: if the data is not there.
    """
    if name in _TABLES:
        return split_table(*_read_table(name), _TABLES[name], split, held_out)
    data = image_data.load(name, data_dir)
    images = [data.train_images, data.test_images, data.outlier_images]
    if name == "cifar5":
        images = [np.asarray(bbh.datasets.prepare(one)) for one in images]
    train, test, outliers = images
    train, test = (train, data.train_labels), (test, data.test_labels)
    if held_out:
        rest = len(train[0]) - int(_HELD_OUT_SHARE * len(train[0]))
        train, test = (
            tuple(one[part] for one in train)
            for part in (slice(rest), slice(rest, None))
        )
    return Problem(train, test, outliers, data.num_classes)


def split_table(x, y, num_classes, split, held_out):
    """Splits a table at random, and standardises it by its training part.

    Args:
        x: `(examples, features)`.
        y: labels `(examples,)`.
        num_classes: of the labels, each of which is in all parts alike; None
            where these are numbers.
        split: number of the split, from 0: the seed.
        held_out: see `load`.

    Returns:
        A `Problem`.
    """
    # Starts with a second.
    from sklearn import model_selection

    def halves(indices, share):
        return model_selection.train_test_split(
            indices,
            test_size=share,
            random_state=split,
            stratify=None if num_classes is None else y[indices],
        )

    train, test = halves(np.arange(len(x)), _TEST_SHARE)
    if held_out:
        train, test = halves(train, _HELD_OUT_SHARE)

    def standard(values):
        std = values[train].std(axis=0)
        return (values - values[train].mean(axis=0)) / np.where(std > 0, std, 1)

    x = standard(x).astype(np.float32)
    if num_classes is None:
        y = standard(y).astype(np.float32)
    return Problem((x[train], y[train]), (x[test], y[test]), None, num_classes)


def _read_table(name):
    from sklearn import datasets

    found = getattr(datasets, f"load_{name}")()
    return found.data, found.target

"""CIFAR5: known facts of the real files, and clear words on bad ones.

The tests on real files read the tensorflow-datasets folder named by the
environment variable BBH_TF_DATA_DIR, and are skipped where it has no CIFAR-10.
"""

import types

import numpy as np
import pytest
import tensorflow as tf

from bbh_tf.datasets import cifar5
from bbh_tf.datasets import load
from bbh_tf.datasets import load_cifar5
from tests.datasets import prepared_files


@pytest.fixture(scope="module")
def prepared():
    return prepared_files.find("cifar10", "CIFAR-10")


@pytest.fixture(scope="module")
def data(prepared):
    return load_cifar5(prepared.parents[1])


def _fake_split(number):
    """Images that show their class and place: the first two pixels' red."""
    labels = np.random.default_rng(number).permutation(np.arange(number) % 10)
    images = np.full((number, 32, 32, 3), 255, np.uint8)
    images[:, 0, 0, 0] = labels
    images[:, 0, 1, 0] = np.arange(number)
    return images, labels.astype(np.int64)


@pytest.fixture
def fake(monkeypatch):
    """A data set of 60 images in place of the real one, to be changed."""
    import tensorflow_datasets as tfds

    splits = {"train": _fake_split(40), "test": _fake_split(20)}

    def as_dataset(split, batch_size, shuffle_files, as_supervised):
        assert batch_size == -1 and not shuffle_files and as_supervised
        return tuple(tf.constant(values) for values in splits[split])

    builder = types.SimpleNamespace(
        data_path="the folder",
        download_and_prepare=lambda: None,
        as_dataset=as_dataset,
    )
    monkeypatch.setattr(tfds, "builder", {"cifar10:3.*.*": builder}.get)
    monkeypatch.setattr(cifar5, "_NUM_EXAMPLES", {"train": 40, "test": 20})
    monkeypatch.setattr(cifar5, "_NUM_TRAIN", 20)
    return splits


def _shown(images):
    """Class and place that fake images show."""
    return np.round(255 * images[:, 0, :2, 0]).astype(int).T


def test_sizes_and_classes(data):
    assert data.train_images.shape == (25000, 32, 32, 3)
    assert data.validation_images.shape == (0, 32, 32, 3)
    assert data.test_images.shape == (5000, 32, 32, 3)
    assert data.outlier_images.shape == (5000, 32, 32, 3)
    assert (data.name, data.num_classes) == ("cifar5", 5)
    np.testing.assert_array_equal(np.bincount(data.train_labels), [5000] * 5)
    np.testing.assert_array_equal(np.bincount(data.test_labels), [1000] * 5)


def test_images_are_those_of_the_files(data, prepared):
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(prepared)
    images, labels = (
        part.numpy()
        for part in builder.as_dataset(
            split="test", batch_size=-1, as_supervised=True
        )
    )
    for mine, theirs in (
        (data.test_images, images[labels < 5]),
        (data.outlier_images, images[labels >= 5]),
    ):
        np.testing.assert_array_equal(np.round(mine * 255), theirs)
        np.testing.assert_allclose(mine * 255, theirs, atol=1e-4)
    np.testing.assert_array_equal(data.test_labels, labels[labels < 5])
    names = builder.info.features["label"].names
    assert names[:5] == ["airplane", "automobile", "bird", "cat", "deer"]
    images, labels = builder.as_dataset(
        split="train[:1000]", batch_size=-1, as_supervised=True
    )
    first = labels.numpy() < 5
    count = first.sum()
    np.testing.assert_array_equal(data.train_labels[:count], labels[first])
    np.testing.assert_array_equal(
        np.round(data.train_images[:count] * 255), images[first]
    )


def test_first_images_are_of_all_classes(data):
    # For runs on the first few: no class comes much before another.
    counts = np.bincount(data.train_labels[:1000], minlength=5)
    assert np.abs(counts - 200).max() < 4 * np.sqrt(1000 * 0.2 * 0.8)


def test_classes_are_split_and_order_is_kept(fake):
    data = load("cifar5")
    for images, labels, split, inside in (
        (data.train_images, data.train_labels, "train", True),
        (data.test_images, data.test_labels, "test", True),
        (data.outlier_images, None, "test", False),
    ):
        places = np.flatnonzero((fake[split][1] < 5) == inside)
        shown, shown_places = _shown(images)
        np.testing.assert_array_equal(shown_places, places)
        np.testing.assert_array_equal(shown, fake[split][1][places])
        assert images.dtype == np.float32 and images.max() == 1.0
        if labels is not None:
            assert labels.dtype == np.int32
            np.testing.assert_array_equal(shown, labels)
    assert set(data.train_labels) == set(range(5))


def test_validation_is_the_end_of_the_training_part(fake):
    whole, parted = load_cifar5(), load("cifar5", num_validation=6)
    np.testing.assert_array_equal(parted.train_images, whole.train_images[:14])
    np.testing.assert_array_equal(
        parted.validation_images, whole.train_images[14:]
    )
    np.testing.assert_array_equal(
        parted.validation_labels, whole.train_labels[14:]
    )
    np.testing.assert_array_equal(parted.test_images, whole.test_images)


@pytest.mark.parametrize("num_validation", [-1, 25000, 2.0, True, None])
def test_refuses_a_validation_part_that_cannot_be(tmp_path, num_validation):
    with pytest.raises(ValueError, match="expected an integer from 0 to 24999"):
        load_cifar5(tmp_path, num_validation)


def test_refuses_other_counts(fake):
    images, labels = fake["test"]
    labels = labels.copy()
    labels[labels == 9] = 8
    fake["test"] = images, labels
    with pytest.raises(
        ValueError, match="expected 2 test images of each of 10"
    ):
        load_cifar5()
    fake["test"] = images[:10], labels[:10]
    with pytest.raises(ValueError, match="the folder: expected 20 test images"):
        load_cifar5()
    fake["train"] = images[:, :28, :28], labels
    with pytest.raises(ValueError, match=r"expected 40 train images \(32, 32"):
        load_cifar5()

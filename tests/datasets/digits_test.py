"""The digits: sizes, the fixed split, and nothing lost or leaked."""

import sys

import numpy as np
import pytest
import sklearn.datasets

from bbh_tf.datasets import load_digits


@pytest.fixture(scope="module")
def data():
    return load_digits()


def _rows(images):
    return np.round(images.reshape(len(images), -1) * 16).astype(np.uint8)


def _multiset(rows):
    found, counts = np.unique(rows, axis=0, return_counts=True)
    return {row.tobytes(): int(c) for row, c in zip(found, counts, strict=True)}


def test_sizes(data):
    assert data.train_images.shape == (1437, 8, 8, 1)
    assert data.train_labels.shape == (1437,)
    assert data.validation_images.shape == (0, 8, 8, 1)
    assert data.validation_labels.shape == (0,)
    assert data.test_images.shape == (360, 8, 8, 1)
    assert data.outlier_images.shape[1:] == (8, 8, 1)
    assert len(data.outlier_images) >= 200
    assert (data.name, data.outlier_name) == ("digits", "letters")
    assert data.num_classes == 10
    assert data.image_shape == (8, 8, 1)


def test_pixels_run_from_zero_to_one(data):
    for images in (data.train_images, data.test_images):
        assert images.dtype == np.float32
        assert images.min() == 0.0
        assert images.max() == 1.0


def test_split_keeps_the_raw_data_exactly_once(data):
    raw = sklearn.datasets.load_digits()
    before = np.column_stack([raw.data.astype(np.uint8), raw.target])
    after = np.column_stack(
        [
            _rows(np.concatenate([data.train_images, data.test_images])),
            np.concatenate([data.train_labels, data.test_labels]),
        ]
    )
    assert _multiset(before.astype(np.uint8)) == _multiset(
        after.astype(np.uint8)
    )


def test_train_and_test_share_no_image(data):
    # The raw data hold no image twice, so the parts must be disjoint.
    raw = sklearn.datasets.load_digits().data
    assert len(np.unique(raw, axis=0)) == len(raw)
    train = set(_multiset(_rows(data.train_images)))
    assert train.isdisjoint(_multiset(_rows(data.test_images)))


def test_split_is_stratified(data):
    counts = np.bincount(sklearn.datasets.load_digits().target)
    share = counts * 360 / 1797
    assert np.all(np.abs(np.bincount(data.test_labels) - share) <= 1)


def test_split_is_always_the_same(data):
    again = load_digits()
    np.testing.assert_array_equal(again.train_images, data.train_images)
    np.testing.assert_array_equal(again.test_labels, data.test_labels)
    np.testing.assert_array_equal(again.outlier_images, data.outlier_images)


def test_validation_is_the_end_of_training(data):
    other = load_digits(num_validation=137)
    assert other.train_images.shape == (1300, 8, 8, 1)
    np.testing.assert_array_equal(other.train_images, data.train_images[:1300])
    np.testing.assert_array_equal(other.train_labels, data.train_labels[:1300])
    np.testing.assert_array_equal(
        other.validation_images, data.train_images[1300:]
    )
    np.testing.assert_array_equal(
        other.validation_labels, data.train_labels[1300:]
    )
    np.testing.assert_array_equal(other.test_images, data.test_images)
    assert len(load_digits(1436).train_labels) == 1


def test_outliers_are_no_digits(data):
    digits = set(_multiset(_rows(data.train_images)))
    assert digits.isdisjoint(_multiset(_rows(data.outlier_images)))


@pytest.mark.parametrize("num_validation", [-1, 1437, 10.0, True, None])
def test_refuses_a_bad_validation_number(num_validation):
    with pytest.raises(ValueError, match="integer from 0 to 1436, got"):
        load_digits(num_validation)


def test_missing_scikit_learn_names_the_extra(monkeypatch):
    # A None entry makes Python's own import statement fail.
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"pip install bbh_tf\[experiments\]"):
        load_digits()

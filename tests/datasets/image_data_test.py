"""What an ImageData takes, what it refuses, and how it is cut down."""

import dataclasses

import numpy as np
import pytest

from bbh_tf.datasets import ImageData


def _fields(**changes):
    generator = np.random.default_rng(0)

    def images(number):
        return generator.random((number, 4, 5, 1), dtype=np.float32)

    def labels(number):
        return np.arange(number, dtype=np.int32) % 3

    fields = {
        "name": "noise",
        "outlier_name": "more noise",
        "num_classes": 3,
        "train_images": images(8),
        "train_labels": labels(8),
        "validation_images": images(2),
        "validation_labels": labels(2),
        "test_images": images(5),
        "test_labels": labels(5),
        "outlier_images": images(3),
    }
    return {**fields, **changes}


def _spoilt(value):
    images = np.zeros((5, 4, 5, 1), np.float32)
    images[2, 1, 3] = value
    return images


def _labels(*values):
    return np.array(values, np.int32)


def test_keeps_what_it_is_given():
    fields = _fields()
    data = ImageData(**fields)
    for name, value in fields.items():
        assert getattr(data, name) is value
    assert data.image_shape == (4, 5, 1)
    data.validate()


def test_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ImageData(**_fields()).name = "other"


def test_validation_may_be_empty():
    data = ImageData(
        **_fields(
            validation_images=np.zeros((0, 4, 5, 1), np.float32),
            validation_labels=np.zeros(0, np.int32),
        )
    )
    assert data.take(2, 2).validation_images.shape == (0, 4, 5, 1)


def test_take_keeps_the_first():
    data = ImageData(**_fields())
    small = data.take(3, 4)
    np.testing.assert_array_equal(small.train_images, data.train_images[:3])
    np.testing.assert_array_equal(small.train_labels, data.train_labels[:3])
    np.testing.assert_array_equal(small.test_images, data.test_images[:4])
    np.testing.assert_array_equal(small.test_labels, data.test_labels[:4])
    assert len(small.validation_labels) == 2
    assert len(small.outlier_images) == 3
    assert len(data.take(3, 1).outlier_images) == 1
    assert (small.name, small.num_classes) == ("noise", 3)
    assert len(data.take(8, 5).train_labels) == 8


@pytest.mark.parametrize("num_train", [0, -1, 9, 2.0, True, None])
def test_take_refuses_a_bad_training_number(num_train):
    with pytest.raises(ValueError, match="num_train: .* from 1 to 8, got"):
        ImageData(**_fields()).take(num_train, 1)


@pytest.mark.parametrize("num_test", [0, 6])
def test_take_refuses_a_bad_test_number(num_test):
    with pytest.raises(ValueError, match="num_test: .* from 1 to 5, got"):
        ImageData(**_fields()).take(1, num_test)


@pytest.mark.parametrize(
    "field, value, message",
    [
        ("num_classes", 1, "num_classes: expected an integer of at least 2"),
        ("num_classes", 3.0, "num_classes: expected an integer"),
        ("train_images", [[0.0]], "train_images: .* got list"),
        (
            "train_images",
            np.zeros((8, 20), np.float32),
            r"train_images: .* got float32 \(8, 20\)",
        ),
        (
            "train_images",
            np.zeros((8, 4, 5, 1), np.uint8),
            "train_images: .* got uint8",
        ),
        (
            "test_images",
            np.zeros((5, 5, 4, 1), np.float32),
            r"test_images: expected images \(4, 5, 1\) like train_images",
        ),
        (
            "outlier_images",
            np.zeros((0, 4, 5, 1), np.float32),
            "outlier_images: expected at least one image",
        ),
        ("test_images", _spoilt(np.nan), r"test_images: .* no NaN, got nan"),
        ("test_images", _spoilt(np.inf), "test_images: .* got 0 to inf"),
        ("test_images", _spoilt(1.5), r"in \[0, 1\] .* got 0 to 1.5"),
        ("outlier_images", _spoilt(-1), "outlier_images: .* got -1 to 0"),
        ("test_labels", _labels(0, 1), "expected 5 labels, .* got 2"),
        ("test_labels", np.zeros(5), "test_labels: .* got float64"),
        ("test_labels", np.zeros(5, np.int64), "test_labels: .* got int64"),
        (
            "test_labels",
            np.zeros((5, 3), np.int32),
            r"test_labels: .* got int32 \(5, 3\)",
        ),
        ("validation_labels", _labels(0, 3), "in 0..2, got 0 to 3"),
        ("validation_labels", _labels(-1, 0), "in 0..2, got -1 to 0"),
    ],
)
def test_refusals(field, value, message):
    with pytest.raises(ValueError, match=message):
        ImageData(**_fields(**{field: value}))

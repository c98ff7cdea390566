"""Turned and mixed images."""

import gzip
import struct

import numpy as np
import pytest

from experiments.errors import ExperimentError
from experiments.shift import images as shift_images


def _images(count=12, seed=0):
    images = np.random.default_rng(seed).random((count, 8, 8, 1))
    return images.astype(np.float32), np.arange(count) % 10


def test_quarter_turns_are_numpys():
    images, _ = _images()
    for turns, angle in ((1, 90), (-1, -90), (2, 180)):
        np.testing.assert_allclose(
            shift_images.turn(images, angle),
            np.rot90(images, turns, axes=(1, 2)),
            atol=1e-6,
        )
    np.testing.assert_array_equal(shift_images.turn(images, 0), images)


def test_turns_of_a_smooth_image_add_up():
    grid = np.linspace(-3, 3, 28)
    x, y = np.meshgrid(grid, grid)
    image = np.exp(-((x - 0.8) ** 2) - y**2)[np.newaxis, ..., np.newaxis]
    image = image.astype(np.float32)
    twice = shift_images.turn(shift_images.turn(image, 20), 25)
    np.testing.assert_allclose(twice, shift_images.turn(image, 45), atol=0.03)
    # Anticlockwise: what was on the right is at the top.
    top, _ = np.unravel_index(
        np.argmax(shift_images.turn(image, 90)[0, ..., 0]), (28, 28)
    )
    assert top < 12


def test_series_are_the_authors():
    images, labels = _images()
    found = shift_images.series(images, labels, None)
    assert [one.name for one in found] == [
        "a 3, turned",
        "a 1, turned",
        "a 6, turned",
        "a 8 and a 3, mixed",
    ]
    assert [len(one.steps) for one in found] == [19, 19, 37, 11]
    for one, digit in zip(found, (3, 1, 6)):
        middle = one.steps.index(0)
        np.testing.assert_array_equal(one.images[middle], images[digit])
    mixed = found[-1]
    np.testing.assert_array_equal(mixed.images[0], images[3])
    np.testing.assert_array_equal(mixed.images[-1], images[8])
    np.testing.assert_allclose(
        mixed.images[5], (images[3] + images[8]) / 2, atol=1e-6
    )


def test_a_place_with_another_digit_is_refused():
    images, labels = _images()
    with pytest.raises(ExperimentError, match="expected a 1 at 4; got 4"):
        shift_images.series(images, labels, (3, 4, 6, 8))
    with pytest.raises(ExperimentError, match="an? 8 at 99; got no image"):
        shift_images.series(images, labels, (3, 11, 6, 99))


def test_published_files_are_read_gzipped_or_not(tmp_path):
    pixels = np.arange(2 * 4, dtype=np.uint8).reshape(2, 2, 2) * 30
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(
        struct.pack(">4I", 0x0803, 2, 2, 2) + pixels.tobytes()
    )
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(struct.pack(">2I", 0x0801, 2) + bytes([7, 1]))
    )
    images, labels, indices = shift_images.published(tmp_path)
    np.testing.assert_allclose(images[..., 0], pixels / 255)
    assert labels.tolist() == [7, 1]
    assert indices == (270, 202, 217, 391)
    with pytest.raises(ExperimentError, match="--idx_dir: .*expected an IDX"):
        shift_images.published(tmp_path / "elsewhere")

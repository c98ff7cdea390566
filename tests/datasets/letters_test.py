"""The rendered letters look like letters as far as numbers can tell."""

import sys

import numpy as np
import pytest

from bbh_tf.datasets import render_letters
from bbh_tf.datasets.letter_fonts import find_letter_fonts


@pytest.fixture(scope="module", params=[8, 28])
def letters(request):
    return render_letters(request.param)


def test_shape_type_and_range(letters):
    images, labels = letters
    size = images.shape[1]
    assert images.shape == (len(labels), size, size, 1)
    assert images.dtype == np.float32
    assert labels.dtype == np.int32
    assert len(labels) >= 200
    assert images.min() == 0.0
    assert images.max() == 1.0


def test_every_letter_is_there_about_equally_often(letters):
    counts = np.bincount(letters[1], minlength=10)
    assert len(counts) == 10
    assert counts.min() >= 0.9 * counts.max()


def test_no_image_is_empty_full_or_repeated(letters):
    images, _ = letters
    ink = images.mean(axis=(1, 2, 3))
    assert ink.min() > 0.03
    assert ink.max() < 0.9
    assert len(np.unique(images, axis=0)) == len(images)


def test_no_glyph_hangs_at_one_side(letters):
    images = letters[0][..., 0]
    for axis in (1, 2):
        occupied = images.max(axis=axis) > 0
        before = occupied.argmax(axis=1)
        after = occupied[:, ::-1].argmax(axis=1)
        # Centred to the pixel, and one more where light ink falls away.
        assert np.abs(before - after).max() <= 2


def test_order_starts_with_one_font_from_a_to_j(letters):
    np.testing.assert_array_equal(letters[1][:10], np.arange(10))


def test_is_deterministic(letters):
    again = render_letters(letters[0].shape[1])
    np.testing.assert_array_equal(again[0], letters[0])
    np.testing.assert_array_equal(again[1], letters[1])


def test_small_letters_have_the_grey_levels_of_the_digits():
    images, _ = render_letters(8)
    np.testing.assert_array_equal(images * 16, np.round(images * 16))


def test_letters_stand_upright():
    images, labels = render_letters(28)
    images = images[..., 0]
    # An A is narrow above and wide below, an F the other way round; an E
    # leans left; so neither a turn nor a mirror image would pass.
    top, bottom = images[:, :14].sum((1, 2)), images[:, 14:].sum((1, 2))
    left, right = images[:, :, :14].sum((1, 2)), images[:, :, 14:].sum((1, 2))
    for label, more, less in (
        ("A", bottom, top),
        ("F", top, bottom),
        ("E", left, right),
        ("J", right, left),
    ):
        chosen = labels == "ABCDEFGHIJ".index(label)
        assert more[chosen].mean() > less[chosen].mean()


def test_classes_are_distinct():
    # The nearest other image names most letters rightly, where chance is a
    # tenth; what it confuses is mostly G with C and E with F.
    images, labels = render_letters(28)
    rows = images.reshape(len(labels), -1)
    squares = np.sum(rows**2, axis=1)
    distances = squares[:, None] + squares[None, :] - 2 * rows @ rows.T
    np.fill_diagonal(distances, np.inf)
    assert np.mean(labels[distances.argmin(1)] == labels) > 0.8


def test_fonts_without_the_letters_are_left_out():
    names = [path.name for path in find_letter_fonts("ABCDEFGHIJ")]
    assert "DejaVuSans.ttf" in names
    # Its code for A leads to a piece of a parenthesis.
    assert "cmex10.ttf" not in names
    assert names == sorted(names)


def test_no_font_has_a_letter_without_glyph():
    # A private-use code point.
    with pytest.raises(FileNotFoundError, match="expected fonts with"):
        find_letter_fonts("\U0010fffd")


@pytest.mark.parametrize("size", [0, 7, -28, 28.0, "28", True])
def test_refuses_a_bad_size(size):
    with pytest.raises(ValueError, match="size: expected an integer"):
        render_letters(size)


@pytest.mark.parametrize("package", ["matplotlib", "PIL"])
def test_missing_package_names_the_extra(package, monkeypatch):
    # A None entry makes Python's own import statement fail.
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r"pip install bbh_tf\[experiments\]"):
        render_letters(8)

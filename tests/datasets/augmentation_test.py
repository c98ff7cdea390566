"""Crops and distortions: against tf.image, and the law of their draws."""

import numpy as np
import pytest
import tensorflow as tf

from bbh_tf.datasets import augment
from bbh_tf.datasets import augmentation
from bbh_tf.datasets import prepare

_SEED = (3, 17)


def _images(number=24, scale=1.0):
    generator = np.random.default_rng(0)
    images = generator.random((number, 32, 32, 3), dtype=np.float32)
    # No two places alike, and channels of different means.
    images *= np.linspace(0.2, 1.0, 32, dtype=np.float32)[:, None, None]
    images *= np.float32([0.4, 0.7, 1.0])
    return images * np.float32(scale)


def _by_tf_image(image, top, left, mirror, brightness, contrast):
    """One image, in 0 to 255, by the operations of the authors' tutorial."""
    image = tf.image.resize_with_crop_or_pad(255.0 * image, 36, 36)
    image = tf.image.crop_to_bounding_box(image, int(top), int(left), 24, 24)
    if mirror:
        image = tf.image.flip_left_right(image)
    image = tf.image.adjust_brightness(image, 255.0 * brightness)
    image = tf.image.adjust_contrast(image, contrast)
    return tf.image.per_image_standardization(image)


# In the dark images standard deviations are below the least one. Brightness
# is added to them in float32, which costs them digits.
@pytest.mark.parametrize(
    ("scale", "tolerance"), [(1.0, 3e-5), (1e-4, 3e-3)], ids=["full", "dark"]
)
def test_equals_tf_image_image_by_image(scale, tolerance):
    images = _images(scale=scale)
    draws = augmentation._draw(_SEED, len(images))
    expected = [
        _by_tf_image(*one)
        for one in zip(images, *(draw.numpy() for draw in draws), strict=True)
    ]
    result = augment(images, _SEED)
    assert result.dtype == tf.float32
    np.testing.assert_allclose(result, expected, atol=tolerance)
    spread = np.std(result, axis=(1, 2, 3))
    assert np.all(spread < 0.7 if scale < 1 else abs(spread - 1) < 1e-4)


def test_corners_and_mirror_are_what_they_are_called():
    # Padded, the image has its first pixel at row 2, column 2.
    images = np.zeros((4, 32, 32, 3), np.float32)
    images[:, 0, 0] = 1.0
    top, left = tf.constant([0, 2, 3, 0]), tf.constant([0, 2, 0, 1])
    mirror = tf.constant([False, False, False, True])
    crops = augmentation._augment(
        images, top, left, mirror, tf.zeros(4), tf.ones(4)
    )
    found = [np.argwhere(crop[..., 0] > 1).tolist() for crop in crops.numpy()]
    assert found == [[[2, 2]], [[0, 0]], [], [[2, 22]]]


def test_brightness_is_taken_away_again():
    draws = augmentation._draw(_SEED, 24)
    plain = [*draws[:3], tf.zeros(24), draws[4]]
    np.testing.assert_allclose(
        augmentation._augment(_images(), *draws),
        augmentation._augment(_images(), *plain),
        atol=3e-5,
    )


@pytest.mark.parametrize("scale", [1.0, 1e-4, 0.0])
def test_prepare_equals_tf_image(scale):
    images = _images(scale=scale)
    result = prepare(images)
    for image, one in zip(images, result, strict=True):
        middle = tf.image.resize_with_crop_or_pad(255.0 * image, 24, 24)
        expected = tf.image.per_image_standardization(middle)
        np.testing.assert_allclose(one, expected, atol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_prepare_has_a_finite_gradient(scale, jit_compile):
    @tf.function(jit_compile=jit_compile)
    def gradient_of_first_pixel(images):
        return tf.gradients(prepare(images)[:, 0, 0, 0], images)[0]

    gradient = gradient_of_first_pixel(tf.constant(_images(2, scale))).numpy()
    assert np.isfinite(gradient).all()
    assert gradient[:, 4, 4, 0].min() > 0
    assert not gradient[:, :4].any()


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_compiled_equals_eager(jit_compile):
    images = tf.constant(_images())

    def both(images, seed):
        return augment(images, seed), prepare(images)

    signature = [
        tf.TensorSpec((None, 32, 32, 3)),
        tf.TensorSpec(2, tf.int64),
    ]
    compiled = tf.function(
        both, jit_compile=jit_compile, input_signature=signature
    )
    seed = tf.constant(_SEED, tf.int64)
    for one, other in zip(compiled(images, seed), both(images, seed)):
        np.testing.assert_allclose(one, other, atol=3e-5)
    shapes = compiled.get_concrete_function().output_shapes
    assert [tuple(shape) for shape in shapes] == [(None, 24, 24, 3)] * 2


def test_draws_are_the_same_under_xla():
    compiled = tf.function(augmentation._draw, jit_compile=True)
    draws = compiled(tf.constant(_SEED), 50)
    for one, other in zip(draws[:3], augmentation._draw(_SEED, 50)):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(draws[3:], augmentation._draw(_SEED, 50)[3:]):
        np.testing.assert_allclose(one, other, atol=1e-7)


def test_works_within_tf_data():
    images = _images()
    batches = tf.data.Dataset.from_tensor_slices(images).batch(10)
    batches = batches.enumerate().map(
        lambda step, batch: augment(batch, (3, step))
    )
    assert batches.element_spec.shape.as_list() == [None, 24, 24, 3]
    for step, batch in enumerate(batches):
        direct = augment(images[10 * step : 10 * step + 10], (3, step))
        np.testing.assert_allclose(batch, direct, atol=3e-5)


def test_randomness_is_of_seed_and_place_alone():
    images = _images()
    result = augment(images, _SEED).numpy()
    np.testing.assert_array_equal(augment(images, _SEED), result)
    np.testing.assert_array_equal(augment(images[:5], _SEED), result[:5])
    others = np.concatenate([images[:1], images[:0:-1]])
    np.testing.assert_array_equal(augment(others, _SEED)[0], result[0])
    twins = augment(images[[0] * 24], _SEED).numpy()
    assert len({twin.tobytes() for twin in twins}) == 24


@pytest.mark.parametrize(
    "other", [(17, 3), (3, 18), (4, 17), (3 + 2**32, 17), (-3, 17)]
)
def test_another_seed_gives_other_draws(other):
    pairs = zip(augmentation._draw(_SEED, 500), augmentation._draw(other, 500))
    for (one, another), chance in zip(pairs, (1 / 13, 1 / 13, 0.5, 0, 0)):
        equal = np.mean(one.numpy() == another.numpy())
        error = np.sqrt(chance * (1 - chance) / 500)
        assert abs(equal - chance) <= 4 * error


@pytest.mark.parametrize(
    "seed",
    [
        list(_SEED),
        np.array(_SEED),
        np.array(_SEED, np.int32),
        tf.constant(_SEED, tf.int32),
        (tf.constant(3, tf.int64), 17),
    ],
    ids=["list", "int64 array", "int32 array", "int32 tensor", "mixed"],
)
def test_seeds_of_any_form_are_alike(seed):
    images = _images(4)
    np.testing.assert_array_equal(augment(images, seed), augment(images, _SEED))


def test_draws_follow_their_law():
    number = 40_000
    draws = [draw.numpy() for draw in augmentation._draw((0, 0), number)]
    top, left, mirror, brightness, contrast = draws
    # 169 places; the chi-square statistic has mean 168, variance 336.
    counts = np.bincount(13 * top + left, minlength=169)
    assert len(counts) == 169
    expected = number / 169
    chi_square = np.sum((counts - expected) ** 2) / expected
    assert abs(chi_square - 168) < 4 * np.sqrt(336)
    assert abs(mirror.mean() - 0.5) < 4 * 0.5 / np.sqrt(number)
    for values, low, high in (
        (brightness, -63 / 255, 63 / 255),
        (contrast, 0.2, 1.8),
    ):
        assert values.min() >= np.float32(low) and values.max() < high
        uniform = (np.sort(values) - low) / (high - low)
        # Chance leaves such a gap at an end once in e^10 times.
        assert uniform[0] < 10 / number and uniform[-1] > 1 - 10 / number
        # Kolmogorov and Smirnov; 2 is passed once in 1,500 times.
        ranks = (np.arange(number) + 0.5) / number
        assert np.abs(uniform - ranks).max() < 2 / np.sqrt(number)
    # Neither with each other nor with the next image's.
    centred = np.stack([draw - draw.mean() for draw in draws])
    centred /= centred.std(axis=1, keepdims=True)
    limit = 4.5 / np.sqrt(number)
    same = centred @ centred.T / number - np.eye(5)
    following = centred[:, 1:] @ centred[:, :-1].T / number
    assert np.abs(same).max() < limit and np.abs(following).max() < limit


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 32, 32, 3), np.uint8),
        np.zeros((2, 32, 32, 3)),
        np.zeros((32, 32, 3), np.float32),
        np.zeros((2, 28, 28, 3), np.float32),
        np.zeros((2, 32, 32, 1), np.float32),
    ],
    ids=["uint8", "float64", "no batch", "size", "channels"],
)
def test_refuses_other_images(images):
    expected = (
        r"expected float32 in \[0, 1\] of shape \(batch, 32, 32, 3\), got"
    )
    with pytest.raises(ValueError, match=expected):
        augment(images, _SEED)
    with pytest.raises(ValueError, match=expected):
        prepare(images)


@pytest.mark.parametrize(
    "seed",
    [0, (0,), (0, 1, 2), (0.0, 1.0), np.array([0.0, 1.0]), (0, True), [[0, 1]]],
    ids=str,
)
def test_refuses_other_seeds(seed):
    with pytest.raises(ValueError, match="integer"):
        augment(_images(2), seed)

"""Crops and distortions of CIFAR images, as in the paper's code.

Images come in [0, 1]. The paper's code works on 0 to 255; standardisation
undoes the difference in scale, all but the least standard deviation that it
divides by, which is therefore the paper's, divided by 255.

References:
    Pawlowski et al., "Implicit Weight Uncertainty in Neural Networks",
    arXiv:1711.01297, section on CIFAR5 (the operations: released code).
    Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep
    Convolutional Neural Networks", NeurIPS 2012, section 4.1.
"""

import math

import tensorflow as tf

from bbh_tf import randomness
from bbh_tf.randomness import threefry

_IMAGE_SHAPE = (32, 32, 3)
_CROP = 24
CROP_SHAPE = (_CROP, _CROP, 3)
_PADDING = 2
_NUM_OFFSETS = _IMAGE_SHAPE[0] + 2 * _PADDING - _CROP + 1
# Draws are made of integers of 24 bits, which float32 has exactly and which
# can be multiplied by the number of places within 32 bits.
_NUM_LEVELS = 1 << 24
_MOST_BRIGHTNESS = 63.0 / 255.0
_LEAST_CONTRAST = 0.2
_MOST_CONTRAST = 1.8
# What is standardised is as if in 0 to 255, see above.
_LEAST_STD = 1.0 / math.sqrt(_CROP * _CROP * _IMAGE_SHAPE[2]) / 255.0


def augment(images, seed):
    """Makes training images: crops, mirrors and distorts at random.

    In this order, nothing is clipped in between or after:

    1. zeros are put around the image, to 36 x 36;
    2. 24 x 24 pixels are cut out at one of 13 x 13 places;
    3. left and right are exchanged, with probability 1/2;
    4. brightness: a number in [-63/255, 63/255) is added to all pixels;
    5. contrast: each channel's distance from its own mean over the crop is
       multiplied by a number in [0.2, 1.8), one for all three channels;
    6. the crop is standardised, see `prepare`, which takes all of 4 away
       again and leaves of 5 what tells the channels apart.

    All draws are uniform, independent of each other and between images. They
    depend on the seed and on the image's place in the batch alone: neither on
    the pixels nor on the size of the batch. The function is pure, and but for
    rounding the same on any device, in XLA, eager code and `tf.data`.

    Args:
        images: `float32` tensor or array `(batch, 32, 32, 3)`, in [0, 1].
        seed: two integers of at most 64 bits, as a tensor, array, list or
            tuple of shape `(2,)`, as TensorFlow's stateless functions take
            them: for example the seed of a run and the number of the step.

    Returns:
        `float32` tensor `(batch, 24, 24, 3)`.

    Raises:
        ValueError: if shape or dtype are wrong.

    Example:
    ```python
    images = tf.data.Dataset.from_tensor_slices(data.train_images)
    # Steps are counted through all epochs, or each would have the same crops.
    steps = images.repeat(num_epochs).batch(100).enumerate()
    batches = steps.map(lambda step, batch: augment(batch, (run_seed, step)))
    ```
    """
    images = _checked(images)
    draws = _draw(seed, tf.shape(images)[0])
    return _augment(images, *draws)


def prepare(images):
    """Makes test images: the 24 x 24 pixels in the middle, standardised.

    Standardised is `(x - mean) / max(std, 1 / (255 sqrt(1728)))`, mean and
    standard deviation over all 1,728 pixels of the crop: what
    `tf.image.per_image_standardization` makes of `255 x`. Its gradient is
    finite, of images of one colour too.

    Args:
        images: `float32` tensor or array `(batch, 32, 32, 3)`, in [0, 1].

    Returns:
        `float32` tensor `(batch, 24, 24, 3)`.

    Raises:
        ValueError: if shape or dtype are wrong.
    """
    return _standardized(_middle_of(images))


def prepared_range(images):
    """Returns what `prepare` makes of black and of white, in each image.

    A pixel of a prepared image that is between them is a pixel that an image
    can have: the range of an attack on prepared images.

    Args:
        images: `float32` tensor or array `(batch, 32, 32, 3)`, in [0, 1].

    Returns:
        `(lowest, highest)`: two `float32` arrays `(batch, 1, 1, 1)`.

    Raises:
        ValueError: if shape or dtype are wrong.
    """
    mean, std = _moments(_middle_of(images))
    return (-mean / std).numpy(), ((1.0 - mean) / std).numpy()


def _middle_of(images):
    start = (_IMAGE_SHAPE[0] - _CROP) // 2
    middle = slice(start, start + _CROP)
    return _checked(images)[:, middle, middle]


def _checked(images):
    images = tf.convert_to_tensor(images)
    if (
        images.dtype != tf.float32
        or images.shape.rank != 4
        or images.shape[1:] != _IMAGE_SHAPE
    ):
        raise ValueError(
            "images: expected float32 in [0, 1] of shape (batch, 32, 32, 3), "
            f"got {images.dtype.name} {images.shape}."
        )
    return images


def _draw(seed, batch):
    """Draws for each image of a batch.

    Returns:
        Top row and left column of the crop in the padded image, `int32` in
        `0 .. 12`; whether it is mirrored, `bool`; brightness and contrast,
        `float32`: five tensors of shape `(batch,)`.
    """
    # Threefry rather than `tf.random`, whose numbers are others under XLA.
    words = tf.unstack(tf.bitcast(randomness.key(*_pair(seed)), tf.uint32))
    stream = threefry.encrypt(words[:2], words[2:])
    places = tf.bitcast(tf.range(batch), tf.uint32)
    # Each place has three counters, of two words each: one is left over.
    words = threefry.encrypt(
        stream, (places, tf.constant([[0], [1], [2]], tf.uint32))
    )
    words = tf.bitwise.right_shift(tf.concat(words, axis=0), 8)
    top, left, mirror, brightness, contrast, _ = tf.unstack(
        tf.bitcast(words, tf.int32)
    )
    return (
        top * _NUM_OFFSETS // _NUM_LEVELS,
        left * _NUM_OFFSETS // _NUM_LEVELS,
        mirror < _NUM_LEVELS // 2,
        _between(-_MOST_BRIGHTNESS, _MOST_BRIGHTNESS, brightness),
        _between(_LEAST_CONTRAST, _MOST_CONTRAST, contrast),
    )


def _pair(seed):
    if not isinstance(seed, (list, tuple)):
        seed = tf.convert_to_tensor(seed)
        seed = tf.unstack(seed) if seed.shape.rank == 1 else [seed]
    if len(seed) != 2:
        raise ValueError(f"seed: expected two integers, got {seed!r}.")
    return seed


def _between(low, high, level):
    return low + (high - low) / _NUM_LEVELS * tf.cast(level, tf.float32)


def _augment(images, top, left, mirror, brightness, contrast):
    border = [_PADDING, _PADDING]
    padded = tf.pad(images, [[0, 0], border, border, [0, 0]])
    steps = tf.range(_CROP)
    rows = top[:, None] + steps
    columns = left[:, None] + tf.where(mirror[:, None], steps[::-1], steps)
    crops = tf.gather(padded, rows, axis=1, batch_dims=1)
    crops = tf.gather(crops, columns, axis=2, batch_dims=1)
    crops += brightness[:, None, None, None]
    means = tf.reduce_mean(crops, axis=(1, 2), keepdims=True)
    return _standardized(
        means + contrast[:, None, None, None] * (crops - means)
    )


def _standardized(crops):
    mean, std = _moments(crops)
    return (crops - mean) / std


def _moments(crops):
    """Mean and bounded standard deviation of each image."""
    mean = tf.reduce_mean(crops, axis=(1, 2, 3), keepdims=True)
    variance = tf.reduce_mean(
        (crops - mean) ** 2, axis=(1, 2, 3), keepdims=True
    )
    # The bound is on the variance, as the root's gradient at 0 is infinite.
    return mean, tf.sqrt(tf.maximum(variance, _LEAST_STD**2))

"""Noise of single examples, from the random seeds of Keras.

Keras' own samplers take another generator under XLA than without, and turn
the same random words into other numbers. These give the numbers that Keras
gives on a CPU without XLA, and give them under XLA too, on any device.
"""

import math

import tensorflow as tf

# What TensorFlow's kernel takes for a uniform number that is smaller.
_LEAST_UNIFORM = 1e-7


def example_uniform(shape, seed_generator):
    """Draws from the uniform distribution on [0, 1).

    Args:
        shape: shape of the sample: integers, or an `int32` tensor.
        seed_generator: a `keras.random.SeedGenerator`, which moves on.

    Returns:
        A `float32` tensor of that shape.
    """
    count = tf.reduce_prod(shape)
    return tf.reshape(_uniform(count, seed_generator), shape)


def example_normal(shape, seed_generator):
    """Draws from the standard normal distribution.

    Args:
        shape: shape of the sample: integers, or an `int32` tensor.
        seed_generator: a `keras.random.SeedGenerator`, which moves on.

    Returns:
        A `float32` tensor of that shape. Under XLA and without it may differ
        in rounding.

    References:
        Box and Muller, A Note on the Generation of Random Normal Deviates,
        Annals of Mathematical Statistics, 1958.
    """
    count = tf.reduce_prod(shape)
    pairs = tf.reshape(_uniform(count + count % 2, seed_generator), (-1, 2))
    squares = -2.0 * tf.math.log(tf.maximum(pairs[:, 0], _LEAST_UNIFORM))
    angles = 2.0 * math.pi * pairs[:, 1]
    normal = tf.sqrt(squares)[:, tf.newaxis] * tf.stack(
        [tf.sin(angles), tf.cos(angles)], axis=1
    )
    return tf.reshape(tf.reshape(normal, (-1,))[:count], shape)


def _uniform(count, seed_generator):
    # As Keras' samplers make a seed of the state.
    seed = tf.math.floormod(seed_generator.next(), tf.int32.max - 1)
    words = tf.random.stateless_uniform(
        [count],
        tf.cast(seed, tf.int32),
        minval=None,
        maxval=None,
        dtype=tf.int32,
        alg="philox",
    )
    # 23 random bits as the fraction of a number in [1, 2).
    bits = tf.bitwise.bitwise_and(words, 0x7FFFFF)
    return tf.bitcast(tf.bitwise.bitwise_or(bits, 0x3F800000), tf.float32) - 1.0

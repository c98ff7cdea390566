"""Samples as pure functions of a key and their index."""

import math

import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla

from bbh_tf.randomness import threefry

# In the place of an element's number, where the random words are for something
# else: no sample has as many elements.
_HASH, _SEED = -1, -2
_SAMPLES_A_CALL = 8


def normal(random_key, num_samples, shape, first=0):
    """Draws from the standard normal distribution.

    Args:
        random_key: a key.
        num_samples: how many samples, a Python integer.
        shape: shape of one sample, a tuple of Python integers.
        first: index of the first sample, an integer or a scalar tensor:
            samples `first, ..., first + num_samples - 1` are returned.

    Returns:
        A `float32` tensor of shape `(num_samples, *shape)`.
    """
    return _draw(_normal, random_key, num_samples, shape, first)


def compiled_sampler(sampler):
    """Wraps any stateless sampler so that it follows this module's rules.

    Args:
        sampler: a callable that takes a number of scalars and an `int32` seed
            of shape `(2,)`, and returns that many scalars as a vector.

    Returns:
        A function of `(random_key, num_samples, shape, first=0)`, as `normal`
        is.
    """

    @_compiled
    def sample_some(random_key, first, num_samples, size):
        indices = tf.bitcast(first + tf.range(num_samples), tf.uint32)
        words = threefry.encrypt(_hash(random_key), (_words(_SEED), indices))
        seeds = tf.bitcast(tf.stack(words, axis=1), tf.int32)
        return tf.stack(
            [
                tf.cast(sampler(size, one), tf.float32)
                for one in tf.unstack(seeds)
            ]
        )

    def sample_all(random_key, first, num_samples, size):
        # A few to a call: XLA takes half a minute to compile a hundred
        # generators, and its loops ran ten times slower on a CPU.
        samples = [
            sample_some(
                random_key,
                first + start,
                min(_SAMPLES_A_CALL, num_samples - start),
                size,
            )
            for start in range(0, num_samples, _SAMPLES_A_CALL)
        ]
        return tf.concat(samples, axis=0)

    def sample(random_key, num_samples, shape, first=0):
        return _draw(sample_all, random_key, num_samples, shape, first)

    return sample


def _compiled(function):
    compiled = tf.function(function, jit_compile=True, autograph=False)
    # It is traced once for each size, and means to be.
    compiled._omit_frequent_tracing_warning = True
    return compiled


def _draw(sample, random_key, num_samples, shape, first):
    if not isinstance(num_samples, int) or num_samples < 1:
        raise ValueError(
            "The number of samples must be a positive integer; got "
            f"{num_samples!r}."
        )
    size = math.prod(shape)
    flat = sample(
        _unfoldable(random_key),
        tf.cast(first, tf.int32),
        num_samples,
        _padded(size),
    )
    return tf.reshape(flat[:, :size], (num_samples, *shape))


def _unfoldable(random_key):
    # In a graph TensorFlow works out beforehand what depends on constants
    # alone, and not with XLA: it would give other numbers. `Empty`, here 0,
    # counts as stateful and is left to run time.
    if tf.executing_eagerly():
        return random_key
    return random_key + tf.raw_ops.Empty(shape=[], dtype=tf.int32, init=True)


def _padded(size):
    """Rounds up to 5, 6, 7 or 8 times 2^k: few sizes are ever compiled."""
    step = 1 << max(4, (max(size, 1) - 1).bit_length() - 3)
    return -(-max(size, 1) // step) * step


@_compiled
def _normal(random_key, first, num_samples, size):
    # A block of Threefry gives the words of one element in each half.
    shape = (num_samples, size // 2)
    elements = tf.bitcast(tf.range(size // 2), tf.uint32)
    samples = tf.bitcast(first + tf.range(num_samples), tf.uint32)
    words = threefry.encrypt(
        _hash(random_key),
        (
            tf.broadcast_to(elements, shape),
            tf.broadcast_to(samples[:, tf.newaxis], shape),
        ),
    )
    return _to_normal(tf.concat(words, axis=1))


def _to_normal(words):
    # The middles of 2^23 equal parts of (-1, 1), which float32 has exactly.
    bits = tf.bitwise.right_shift(words, tf.constant(9, tf.uint32))
    uniform = (tf.cast(tf.cast(bits, tf.int32), tf.float32) + 0.5) * 2.0**-22
    return math.sqrt(2.0) * tf.math.erfinv(uniform - 1.0)


def _hash(random_key):
    """Hashes a key to the two words of a generator's key, word by word."""
    # XLA may not work out beforehand either what depends on constants alone:
    # its evaluator does not round as its compiled code does.
    (random_key,) = xla.optimization_barrier(random_key)
    state = _words(0), _words(0)
    for word in tf.unstack(_words(random_key)):
        state = threefry.encrypt(state, (_words(_HASH), word))
    return state


def _words(integers):
    return tf.bitcast(tf.convert_to_tensor(integers, tf.int32), tf.uint32)

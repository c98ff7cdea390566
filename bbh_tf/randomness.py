"""Random numbers as pure functions of a key.

A key is a vector of `int32` words: a path such as (model seed, draw number,
layer position). Sample `i` under a key depends on the key and on `i` alone, so
that the first five of a hundred samples are the five samples, whatever the
batch, the device or the loop that asked for them.

All sampling happens inside one small function compiled by XLA. TensorFlow's
stateless operations give other numbers in XLA code than outside it; compiled
on their own, they give the same numbers in eager code, in a graph and within
a larger compiled program.
"""

import math

import keras
import tensorflow as tf

_SAMPLES_A_CALL = 8
_SMALL = 2**14
_INT64_MIN = -(2**63)
_INT64_MAX = 2**63 - 1


def key(*words):
    """Makes a key from integers.

    Args:
        *words: integers that fit in 64 bits: Python's, or scalar tensors or
            variables.

    Returns:
        An `int32` tensor of shape `(2 * len(words),)`.

    Raises:
        ValueError: if there is no word, or one is no integer of 64 bits.
    """
    if not words:
        raise ValueError("A random key needs at least one integer; got none.")
    return tf.concat([_to_int32_pair(word) for word in words], axis=0)


def fold(parent, word):
    """Derives a key from `parent` and one more integer.

    Args:
        parent: a key, as `key` returns it.
        word: a Python integer or a scalar integer tensor.

    Returns:
        A key of two more words than `parent`.
    """
    return tf.concat([parent, _to_int32_pair(word)], axis=0)


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
    def sample_some(seeds, size):
        return tf.stack(
            [
                tf.cast(sampler(size, seed), tf.float32)
                for seed in tf.unstack(seeds)
            ]
        )

    def sample(random_key, num_samples, shape, first=0):
        return _draw(sample_some, random_key, num_samples, shape, first)

    return sample


def _compiled(function):
    compiled = tf.function(function, jit_compile=True, autograph=False)
    # It is traced once for each size, and means to be.
    compiled._omit_frequent_tracing_warning = True
    return compiled


def _draw(sample_some, random_key, num_samples, shape, first):
    # Small samples go a few to a call, since a call costs a tenth of a
    # millisecond; large ones one to a call, side by side. Not all in one: XLA
    # takes half a minute to compile a hundred generators, and its loops ran
    # ten times slower on a CPU.
    if not isinstance(num_samples, int) or num_samples < 1:
        raise ValueError(
            "The number of samples must be a positive integer; got "
            f"{num_samples!r}."
        )
    first = tf.cast(first, tf.int32)
    seed = _hash(_unfoldable(random_key))
    # The generators are made for seeds that differ in a few bits only.
    indices = first + tf.range(num_samples)
    seeds = tf.stack(
        [
            tf.bitwise.bitwise_xor(seed[0], indices),
            tf.repeat(seed[1], num_samples),
        ],
        axis=1,
    )
    size = math.prod(shape)
    a_call = _SAMPLES_A_CALL if size <= _SMALL else 1
    samples = [
        sample_some(
            seeds[start : min(start + a_call, num_samples)], _padded(size)
        )
        for start in range(0, num_samples, a_call)
    ]
    flat = tf.concat(samples, axis=0)[:, :size]
    return tf.reshape(flat, (num_samples, *shape))


def _unfoldable(random_key):
    # In a graph TensorFlow works out beforehand what depends on constants
    # alone, and not with XLA: it would give other numbers. `Empty`, here 0,
    # counts as stateful and is left to run time.
    if tf.executing_eagerly():
        return random_key
    return random_key + tf.raw_ops.Empty(shape=[], dtype=tf.int32, init=True)


def _padded(size):
    """Rounds up to 2^k or 3 * 2^k, so that few sizes are ever compiled."""
    power = 1 << max(6, (max(size, 1) - 1).bit_length())
    return 3 * power // 4 if size <= 3 * power // 4 else power


@_compiled
def _normal(seeds, size):
    # Two generators a sample, not one: XLA's code for a lone generator runs
    # seven times slower on a CPU than its code for two side by side.
    samples = []
    for seed in tf.unstack(seeds):
        halves = [
            tf.random.stateless_normal(
                [size // 2], seed=tf.bitwise.bitwise_xor(seed, [0, half])
            )
            for half in range(2)
        ]
        samples.append(tf.concat(halves, axis=0))
    return tf.stack(samples)


@tf.function(jit_compile=True, autograph=False)
def _hash(random_key):
    """Hashes a key to a seed of two words, word by word."""
    state = tf.zeros([2], tf.int32)
    for word in tf.unstack(random_key):
        state = tf.random.stateless_uniform(
            [2],
            seed=tf.bitwise.bitwise_xor(state, tf.stack([word, 0])),
            minval=None,
            maxval=None,
            dtype=tf.int32,
        )
    return state


def _to_int32_pair(word):
    if isinstance(word, keras.Variable):
        word = word.value
    if tf.is_tensor(word):
        if not word.dtype.is_integer or word.shape.rank != 0:
            raise ValueError(
                "A random key is made of integer scalars; got a tensor of "
                f"dtype {word.dtype.name} and shape {tuple(word.shape)}."
            )
        return tf.bitcast(tf.cast(word, tf.int64), tf.int32)
    if isinstance(word, bool) or not hasattr(word, "__index__"):
        raise ValueError(
            "A random key is made of integers; got "
            f"{word!r} of type {type(word).__name__}."
        )
    word = word.__index__()
    if not _INT64_MIN <= word <= _INT64_MAX:
        raise ValueError(f"A seed must fit in 64 bits; got {word}.")
    return tf.bitcast(tf.constant(word, tf.int64), tf.int32)

"""Random keys: paths of integers that say what a random number is for."""

import random

import keras
import tensorflow as tf

from bbh_tf import workers

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


def seed_or_random(seed):
    """Returns a seed as a Python integer; a random one for None.

    Workers that train together all get the one that the first chose.

    Raises:
        ValueError: if it is no integer of 64 bits.
    """
    if seed is None:
        return workers.of_chief(random.getrandbits(31))
    key(seed)
    return int(seed)


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

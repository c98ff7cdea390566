"""The Threefry-2x32 generator, in operations that XLA fuses into one loop.

XLA's own generators are calls that its CPU code runs element by element on one
side and cannot fuse; these twenty rounds of additions, shifts and
exclusive-ors become one vectorised pass.

References:
    Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011.
"""

import tensorflow as tf

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA
_ROUNDS = 20


def encrypt(key, counter):
    """Turns counters into random words.

    Args:
        key: two `uint32` tensors.
        counter: two `uint32` tensors, of shapes that broadcast with the key's.

    Returns:
        Two `uint32` tensors of random words. Under one key, different
        counters give different pairs.
    """
    return _encrypt(*key, *counter)


def bits(words, count):
    """Returns random words, as many as are asked for.

    Args:
        words: `int32` tensor of shape `(2,)`, a key.
        count: how many, a scalar `int32` tensor.

    Returns:
        `uint32` tensor of shape `(count,)`.
    """
    key = tf.unstack(tf.bitcast(words, tf.uint32))
    counter = tf.bitcast(tf.range(count), tf.uint32)
    return encrypt(key, (counter, tf.zeros_like(counter)))[0]


# One function for all shapes: twenty rounds take a tenth of a second to trace.
@tf.function(
    autograph=False, input_signature=[tf.TensorSpec(None, tf.uint32)] * 4
)
def _encrypt(key_0, key_1, x, y):
    keys = (key_0, key_1, key_0 ^ key_1 ^ _uint32(_PARITY))
    x, y = x + key_0, y + key_1
    for group in range(_ROUNDS // 4):
        for bits in _ROTATIONS[group % 2]:
            x += y
            y = x ^ _rotate_left(y, bits)
        x += keys[(group + 1) % 3]
        y += keys[(group + 2) % 3] + _uint32(group + 1)
    return x, y


def _rotate_left(x, bits):
    left = tf.bitwise.left_shift(x, _uint32(bits))
    return left | tf.bitwise.right_shift(x, _uint32(32 - bits))


def _uint32(value):
    return tf.constant(value, tf.uint32)

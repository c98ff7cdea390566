"""Threefry against the known answers of its authors' Random123 library."""

import pytest
import tensorflow as tf

from bbh_tf.randomness import threefry


@pytest.mark.parametrize(
    "key, counter, expected",
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        (
            (0x13198A2E, 0x03707344),
            (0x243F6A88, 0x85A308D3),
            (0xC4923A9C, 0x483DF7A0),
        ),
    ],
)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_known_answers(key, counter, expected, jit_compile):
    encrypt = tf.function(threefry.encrypt, jit_compile=jit_compile)
    words = [
        tuple(tf.constant(word, tf.uint32) for word in pair)
        for pair in (key, counter)
    ]
    assert tuple(int(word) for word in encrypt(*words)) == expected

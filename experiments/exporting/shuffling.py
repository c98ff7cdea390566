"""The permutation that TensorFlow makes, without TensorFlow."""

import numpy as np

_HALF, _LOWER = np.uint64(32), np.uint64(0xFFFFFFFF)


def shuffled(count, key, *counter):
    """Shuffles as TensorFlow's `stateless_shuffle` of `alg="philox"` does.

    Args:
        count: how many numbers to shuffle.
        key: key of the Philox-4x32-10 generator, an integer of 64 bits.
        *counter: the two words of 64 bits of its counter, the lower first.

    Returns:
        `int32` array, a permutation of `0, ..., count - 1`.

    References:
        Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011.
    """
    left = np.arange(count, 1, -1, dtype=np.uint32)
    jumps = _philox(key, counter, -(-count // 4))[: len(left)] % left
    order = list(range(count))
    for here, jump in enumerate(jumps.tolist()):
        there = here + jump
        order[here], order[there] = order[there], order[here]
    return np.array(order, np.int32)


def _philox(key, counter, num_blocks):
    """Returns the words of blocks of four, `uint32`, one after the other."""
    low, high = (np.full(num_blocks, word, np.uint64) for word in counter)
    low += np.arange(num_blocks, dtype=np.uint64)
    high += (low < np.uint64(counter[0])).astype(np.uint64)
    x = [low & _LOWER, low >> _HALF, high & _LOWER, high >> _HALF]
    key_0, key_1 = np.uint64(key) & _LOWER, np.uint64(key) >> _HALF
    for _ in range(10):
        one = x[0] * np.uint64(0xD2511F53)
        two = x[2] * np.uint64(0xCD9E8D57)
        x = [
            (two >> _HALF) ^ x[1] ^ key_0,
            two & _LOWER,
            (one >> _HALF) ^ x[3] ^ key_1,
            one & _LOWER,
        ]
        key_0 = (key_0 + np.uint64(0x9E3779B9)) & _LOWER
        key_1 = (key_1 + np.uint64(0xBB67AE85)) & _LOWER
    return np.stack(x, axis=1).astype(np.uint32).ravel()

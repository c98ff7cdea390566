"""Data in blocks of batches, over which many draws pass."""

import itertools
import math
import operator

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checks

# Inputs are held in blocks of about this size while all draws pass over them,
# so that weights are generated once per draw and block, not once per batch.
_BLOCK_BYTES = 2**28


def blocks(x, y=None, sample_weight=None, batch_size=None, steps=None):
    """Splits data into blocks of batches.

    Args:
        x: array, structure of arrays, `tf.data.Dataset`, `keras` data set, or
            iterator of batches `(x,)`, `(x, y)`, `(x, y, sample_weight)`.
        y: labels, where `x` holds arrays.
        sample_weight: weights, where `x` holds arrays.
        batch_size: examples in a batch, where `x` holds arrays; None for 256.
        steps: number of batches to take; None for all.

    Yields:
        Lists of `(x, y, sample_weight)`.

    Raises:
        ValueError: if there is no example or lengths differ.
    """
    if steps is not None:
        checks.check_count("steps", steps)
    block, num_bytes, empty = [], 0, True
    for batch in itertools.islice(
        _batches(x, y, sample_weight, batch_size), steps
    ):
        empty = False
        batch = keras.utils.unpack_x_y_sample_weight(batch)
        block.append(batch)
        num_bytes += sum(map(_num_bytes, keras.tree.flatten(batch[0])))
        if num_bytes >= _BLOCK_BYTES:
            yield block
            block, num_bytes = [], 0
    if empty:
        raise ValueError("Expected at least one example to predict; got none.")
    if block:
        yield block


def _num_bytes(leaf):
    if tf.is_tensor(leaf):
        return leaf.dtype.size * math.prod(leaf.shape)
    return np.asarray(leaf).nbytes


def _batches(x, y, sample_weight, batch_size):
    if isinstance(x, keras.utils.PyDataset):
        return (x[index] for index in range(len(x)))
    if isinstance(x, tf.data.Dataset) or hasattr(x, "__next__"):
        return iter(x)
    if batch_size is None:
        batch_size = 256
    return _array_batches(x, y, sample_weight, batch_size)


def _array_batches(x, y, sample_weight, batch_size):
    checks.check_count("batch_size", batch_size)
    data = keras.tree.map_structure(
        lambda leaf: leaf if tf.is_tensor(leaf) else np.asarray(leaf),
        tuple(part for part in (x, y, sample_weight) if part is not None),
    )
    shapes = [tuple(leaf.shape) for leaf in keras.tree.flatten(data)]
    if not shapes or () in shapes:
        raise ValueError(
            f"Expected arrays of examples; got arrays of shapes {shapes}."
        )
    lengths = {shape[0] for shape in shapes}
    if len(lengths) != 1:
        raise ValueError(
            "Expected inputs, labels and weights of the same number of "
            f"examples; got {sorted(lengths)}."
        )
    for start in range(0, lengths.pop(), batch_size):
        part = slice(start, start + batch_size)
        yield keras.tree.map_structure(operator.itemgetter(part), data)


def room(out, start, shape):
    """Makes room for the draws of a block of examples, or finds it.

    Args:
        out: array `(num_samples, examples, ...)`, or None for a new one.
        start: number of the block's first example.
        shape: shape of its draws, `(num_samples, block_examples, ...)`.

    Returns:
        An array of that shape; a part of `out`, if given.

    Raises:
        ValueError: if `out` has another shape.
    """
    if out is None:
        return np.empty(shape, np.float32)
    found = out[:, start : start + shape[1]]
    if found.shape != shape:
        raise ValueError(
            f"Expected out to have room for {shape} from example {start} on; "
            f"got shape {out.shape}."
        )
    return found

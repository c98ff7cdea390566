"""Batches of held-out data as arrays, from one pass over them."""

import keras
import numpy as np
import tensorflow as tf


def gathered(batches):
    """Gathers batches, since a second pass may come in another order.

    Args:
        batches: a `tf.data.Dataset`, a `keras.utils.PyDataset`, or another
            iterable of batches `(x, y)` or `(x, y, sample_weight)`.

    Returns:
        `(x, y, sample_weight)`: structures of arrays, the last None where
        there are none.

    Raises:
        ValueError: if they are no batches, or have no end, or a batch has no
            labels.
    """
    check_ends(batches)
    if isinstance(batches, keras.utils.PyDataset):
        every = (batches[index] for index in range(batches.num_batches))
    else:
        every = iter(batches)
    parts = []
    for batch in every:
        x, y, weight = keras.utils.unpack_x_y_sample_weight(batch)
        if y is None:
            raise ValueError(
                "Expected batches (x, y) where labels are not given; got x "
                "alone."
            )
        if not all(map(np.ndim, keras.tree.flatten((x, y)))):
            raise ValueError(
                "Expected batches (x, y), each an array of several examples; "
                "got a single number: data_set.batch(100) makes batches."
            )
        parts.append((x, y) if weight is None else (x, y, weight))
    if not parts or len({len(part) for part in parts}) > 1:
        raise ValueError(
            "Expected batches (x, y), or all of them (x, y, sample_weight); "
            f"got {len(parts)} batches."
        )
    whole = keras.tree.map_structure(
        lambda *arrays: np.concatenate([np.asarray(a) for a in arrays]), *parts
    )
    return whole if len(whole) == 3 else (*whole, None)


def check_ends(data):
    """Refuses a data set that is known to have no end.

    Raises:
        ValueError: saying how it can be given one.
    """
    count = getattr(data, "cardinality", None)
    # Of a strategy's data sets it is a number.
    count = int(count()) if callable(count) else count
    is_endless = count == tf.data.INFINITE_CARDINALITY
    if isinstance(data, keras.utils.PyDataset):
        is_endless = data.num_batches is None
    if is_endless:
        raise ValueError(
            "Expected data that end, or a number of steps; got a "
            f"{type(data).__name__} without end: leave out repeat(), or take "
            "so many batches of it."
        )


def is_of_batches(x):
    """Whether inputs are batches rather than arrays."""
    return isinstance(x, keras.utils.PyDataset) or (
        hasattr(x, "element_spec") or hasattr(x, "__next__")
    )

"""Batches of arrays, in another order in every epoch.

Keras' `fit` shuffles arrays by an operation that it makes anew for each epoch.
After `keras.utils.set_random_seed` it has one seed, so that every epoch has the
batches of the first, in the same order.
"""

import keras
import numpy as np
import tensorflow as tf


def batches(arrays, batch_size, seed):
    """Makes the data of `fit`, to be given with `shuffle=False`.

    Args:
        arrays: sequence of arrays `(examples, ...)`, such as images and
            labels.
        batch_size: examples in a batch; the last may have fewer.
        seed: seed of the orders, an integer.

    Returns:
        A `tf.data.Dataset` of tuples of tensors `(batch, ...)`. Each time it
        is gone through is an epoch.
    """
    arrays = [_tensor(array) for array in arrays]
    count = len(arrays[0])
    return (
        tf.data.Dataset.range(count)
        .shuffle(count, seed=seed, reshuffle_each_iteration=True)
        .batch(batch_size)
        .map(
            lambda chosen: tuple(tf.gather(x, chosen) for x in arrays),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .prefetch(tf.data.AUTOTUNE)
    )


def _tensor(array):
    # As Keras does with arrays.
    is_float = np.issubdtype(array.dtype, np.floating)
    return tf.convert_to_tensor(
        array, keras.config.floatx() if is_float else None
    )

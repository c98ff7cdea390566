"""What a network takes."""

import keras
import numpy as np
import tensorflow as tf


def structure(network):
    """Returns the inputs of a functional or sequential model, as it has them.

    Args:
        network: a built `keras.Model`.

    Returns:
        A `keras.KerasTensor`, or a list, tuple or dictionary of such.
    """
    is_sequential = isinstance(network, keras.Sequential)
    return network.inputs[0] if is_sequential else network.input


def arrays(inputs, wanted):
    """Turns what a user gives as inputs into arrays.

    Args:
        inputs: an array, or a list, tuple or dictionary of such.
        wanted: what `structure` returned.

    Returns:
        An array where one is wanted, else the same structure of arrays, of
        Python's own lists and dictionaries.
    """
    if not keras.tree.is_nested(wanted):
        return np.asarray(inputs)
    # Keras puts classes of its own in the place of what is set on a model.
    if isinstance(inputs, dict):
        return {key: arrays(x, wanted) for key, x in inputs.items()}
    if isinstance(inputs, tuple):
        return tuple(arrays(x, wanted) for x in inputs)
    if isinstance(inputs, list):
        return [arrays(x, wanted) for x in inputs]
    return np.asarray(inputs)


def specs(network):
    """Returns the same as a structure of `tf.TensorSpec`."""
    return keras.tree.map_structure(
        lambda x: tf.TensorSpec(x.shape, x.dtype, x.name), structure(network)
    )

"""What a network takes."""

import keras
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


def specs(network):
    """Returns the same as a structure of `tf.TensorSpec`."""
    return keras.tree.map_structure(
        lambda x: tf.TensorSpec(x.shape, x.dtype, x.name), structure(network)
    )

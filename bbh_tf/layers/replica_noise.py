"""Noise of single examples, which differs between replicas."""

import contextlib

import tensorflow as tf

# Keras' samplers take the low 32 bits of a state: odd, so that all replicas
# differ in them, and large, so that none meets a neighbouring seed.
_STRIDE = 0x3504F333


def states(layer):
    """Returns the states of the random seeds of Keras in a layer or model."""
    # Keras saves weights, but not the seeds of Dropout and its like.
    saved = {id(variable) for variable in layer.weights}
    return [
        variable
        for variable in layer.variables
        if id(variable) not in saved and "seed" in variable.name
    ]


@contextlib.contextmanager
def apart(layer):
    """Gives each replica random seeds of its own, while a layer is called.

    A strategy copies the states of random seeds to all replicas, which then
    drop the same units of different examples. Afterwards the copies are equal
    again. The first replica has the noise of a single device.

    Args:
        layer: a Keras layer or model.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        yield
        return
    replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
    offset = tf.stack([replica * _STRIDE, tf.constant(0, tf.int64)])
    found = states(layer)
    for state in found:
        state.assign(state.value + tf.cast(offset, state.value.dtype))
    try:
        yield
    finally:
        for state in found:
            state.assign(state.value - tf.cast(offset, state.value.dtype))

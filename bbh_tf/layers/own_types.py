"""Variables in their own types, whoever is being called."""

from bbh_tf.layers import keras_globals


def own_types():
    """Keeps Keras from reading float32 variables in float16.

    It does so while a layer of mixed precision is called. But what draws its
    weights, and their KL, are float32; and so may be a layer within it.

    Returns:
        A context manager, which decorates functions, too.
    """
    return keras_globals.without("autocast_scope")

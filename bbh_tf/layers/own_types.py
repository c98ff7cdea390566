"""Variables in their own types, whoever is being called."""

import contextlib

# Keras has no public name for what it shares while a layer is called.
from keras.src.backend.common import global_state

_SCOPE = "autocast_scope"


@contextlib.contextmanager
def own_types():
    """Keeps Keras from reading float32 variables in float16.

    It does so while a layer of mixed precision is called. But what draws its
    weights, and their KL, are float32; and so may be a layer within it.
    """
    previous = global_state.get_global_attribute(_SCOPE)
    global_state.set_global_attribute(_SCOPE, None)
    try:
        yield
    finally:
        global_state.set_global_attribute(_SCOPE, previous)

"""What Keras shares between all that runs in a thread."""

import contextlib

# Keras has no public name for it.
from keras.src.backend.common import global_state


@contextlib.contextmanager
def without(*names):
    """Takes global attributes of Keras away for a while.

    Args:
        *names: their names.
    """
    kept = {name: global_state.get_global_attribute(name) for name in names}
    for name in names:
        global_state.set_global_attribute(name, None)
    try:
        yield
    finally:
        for name, value in kept.items():
            global_state.set_global_attribute(name, value)

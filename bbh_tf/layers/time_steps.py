"""Layers that call a random layer once for each time step."""

import keras
from keras.src.backend.common import global_state


def check_none(layer):
    """Refuses a layer that draws for itself in each of many time steps.

    Weights would change from one step to the next, and the KL would count
    once for each.

    Args:
        layer: a random layer, or a model of them, that is being called in
            training, and for which nobody draws.

    Raises:
        ValueError: if a `TimeDistributed` or a recurrent layer is calling it.
    """
    # Keras has no public name for the layers that are being called. A wrapper
    # calls `layer.call`, which knows nothing of it.
    scopes = global_state.get_global_attribute("name_scope_stack") or []
    for scope in scopes:
        caller = scope.caller
        if caller is not layer and isinstance(
            caller, (keras.layers.TimeDistributed, keras.layers.RNN)
        ):
            kind = type(caller).__name__
            raise ValueError(
                f"Expected weights that are drawn once for all time steps; "
                f"{kind} {caller.name!r} calls {layer.name!r} once for each, "
                "which would draw, and add its KL, each time: train the "
                "network in a bbh_tf.models.BayesianModel, or wrap the whole, "
                f"bbh_tf.layers.Bayesian({kind}(...))."
            )

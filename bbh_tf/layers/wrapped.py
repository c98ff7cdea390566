"""What a `Bayesian` layer cannot wrap."""

import keras

from bbh_tf.layers import selection


def check_layer(layer, wrapper):
    """Refuses what is no layer, or cannot run on drawn weights.

    Args:
        layer: what was given.
        wrapper: the class that is to wrap it.

    Raises:
        ValueError: if it is no layer, the cell of a recurrent layer, or holds
            a layer of that class.
    """
    if not isinstance(layer, keras.layers.Layer):
        raise ValueError(
            "Bayesian expects a Keras layer to wrap, such as "
            f"keras.layers.Dense(10); got {layer!r}."
        )
    if hasattr(layer, "state_size") and not isinstance(layer, keras.layers.RNN):
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r} is the cell of a "
            "recurrent layer, whose weights must not change from one time "
            "step to the next: wrap the recurrent layer, "
            "Bayesian(keras.layers.RNN(cell))."
        )
    if any(isinstance(x, wrapper) for x in selection.sublayers_of(layer)):
        raise ValueError(
            f"Layer {layer.name!r} is, or holds, a Bayesian layer already."
        )


def check_weights(layer, posterior, variables):
    """Refuses no weights, and weights that their layer constrains.

    Args:
        layer: the layer that is wrapped.
        posterior: its `Posterior`.
        variables: those of the layer that the posterior takes.

    Raises:
        ValueError: naming the layer, or the variable and its constraint.
    """
    if not variables:
        raise ValueError(
            f"Layer {layer.name!r} has no trainable weights that could be "
            "random (normalisation and what is frozen keep theirs) and that "
            f"{type(posterior).__name__} takes."
        )
    for variable in variables:
        if variable.constraint is not None:
            raise ValueError(
                "Expected weights without constraints: draws would not keep "
                f"to them; {variable.path!r} has "
                f"{type(variable.constraint).__name__}."
            )

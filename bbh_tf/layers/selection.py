"""Which variables of a layer become random."""

import keras

from bbh_tf.layers.random_layer import RandomLayer

_NORMALIZATION = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.RMSNormalization,
)


def sublayers_of(layer):
    """Returns a layer and all layers in it, outermost first."""
    return list(layer._flatten_layers())


def random_variables(layer, names=None):
    """Returns the variables of a layer that a posterior can replace.

    These are all trainable variables of the layer and of the layers in it:
    kernels, biases, embeddings. Scales and offsets of normalisation layers
    stay point estimates, and so does what the user has frozen, a layer or a
    variable (`trainable = False`). Layers that are random by themselves keep
    what they have.

    Args:
        layer: a built Keras layer or model.
        names: names of the inner layers to take, or these layers; None for
            all.

    Returns:
        List of `keras.Variable`, each once.

    Raises:
        ValueError: if a name is not that of an inner layer.
    """
    sublayers = sublayers_of(layer)
    if names is not None:
        chosen = []
        for item in names:
            found = [s for s in sublayers if item is s or item == s.name]
            if not found:
                known = sorted({sublayer.name for sublayer in sublayers})
                raise ValueError(
                    f"{layer.name!r} has no inner layer named {item!r}; it "
                    f"has {', '.join(known)}."
                )
            chosen += found
        sublayers = [inner for s in chosen for inner in sublayers_of(s)]
    variables = {}
    kept = {
        id(inner)
        for sublayer in sublayers
        if isinstance(sublayer, RandomLayer)
        for inner in sublayers_of(sublayer)
    }
    for sublayer in sublayers:
        if (
            isinstance(sublayer, _NORMALIZATION)
            or id(sublayer) in kept
            or not sublayer.trainable
        ):
            continue
        # Of its own, not those of the layers in it.
        for variable in sublayer._trainable_variables:
            if not is_frozen(variable):
                variables.setdefault(id(variable), variable)
    return list(variables.values())


def replace(variable):
    """Takes a variable out of training, since draws stand in for it."""
    variable.trainable = False
    # So that it is not taken for one that the user froze: a layer may be
    # wrapped again, in the place of a wrapper that is thrown away.
    variable.is_replaced_by_draws = True


def is_frozen(variable):
    """Whether the user, and not `replace`, took a variable out of training."""
    replaced = getattr(variable, "is_replaced_by_draws", False)
    return not (variable.trainable or replaced)


def names_of(sublayers):
    """Returns a list of layer names; None for None.

    Raises:
        ValueError: if it is no list of texts and layers.
    """
    if sublayers is None:
        return None
    if isinstance(sublayers, str) or not all(
        isinstance(item, (str, keras.layers.Layer)) for item in sublayers
    ):
        raise ValueError(
            "Bayesian expects sublayers to be a list of names of inner "
            f"layers; got {sublayers!r}."
        )
    return [x if isinstance(x, str) else x.name for x in sublayers]

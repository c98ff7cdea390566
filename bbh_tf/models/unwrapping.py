"""Making an ordinary Keras model of one draw."""

import keras

from bbh_tf.layers import copying
from bbh_tf.layers.random_layer import RandomLayer
from bbh_tf.models import cloning
from bbh_tf.models import layer_values
from bbh_tf.models import refusals


def unwrap(network, layers, weights, statistics=()):
    """Makes a plain model with drawn weights.

    Args:
        network: the model that holds random layers.
        layers: those layers, as `refusals.random_layers_of` lists them.
        weights: for each, its list of tensors of shape `(1, *shape)`.
        statistics: pairs of another variable and its value.

    Returns:
        A `keras.Model` of ordinary layers.

    Raises:
        ValueError: if a draw of a layer is no ordinary layer.
    """
    weights = {
        id(layer): [tensor[0] for tensor in tensors]
        for layer, tensors in zip(layers, weights)
    }
    drawn = {
        id(variable): value
        for layer in layers
        for variable, value in zip(layer.replaced_variables, weights[id(layer)])
    }
    drawn.update((id(variable), value) for variable, value in statistics)
    wrappers = [layer for layer in layers if layer.is_wrapper]
    # What a wrapper has besides the layer that it wraps.
    own = {
        id(variable)
        for wrapper in wrappers
        for variable in _others(wrapper.variables, wrapper.layer.variables)
    }
    names = {keras.saving.get_registered_name(type(x)) for x in wrappers}

    def replace(layer):
        if isinstance(layer, RandomLayer):
            return layer.plain_layer()
        config = _unwrapped(copying.live_config(layer), names)
        return copying.like(layer, config)

    plain, pairs = cloning.clone(network, replace)
    for layer in refusals.random_in(plain):
        raise ValueError(
            f"Cannot draw a plain model: {type(layer).__name__} layer "
            f"{layer.name!r} is held by another layer, not by the model."
        )
    for old, new in pairs:
        if isinstance(old, RandomLayer):
            values = old.plain_values(weights[id(old)])
        else:
            values = [v for v in old.variables if id(v) not in own]
        values = [drawn.get(id(v), v) for v in values]
        layer_values.assign(old, new, values)
    return plain


def _others(variables, known):
    known = {id(variable) for variable in known}
    return [variable for variable in variables if id(variable) not in known]


def _unwrapped(config, names):
    """Puts wrapped layers in the place of their wrappers, at any depth."""
    if isinstance(config, (list, tuple)):
        return type(config)(_unwrapped(item, names) for item in config)
    if not isinstance(config, dict):
        return config
    if config.get("registered_name") in names:
        # A layer of a functional model has its place in the graph besides.
        place = {k: config[k] for k in ("name", "inbound_nodes") if k in config}
        config = {**place, **config["config"]["layer"]}
    return {k: _unwrapped(value, names) for k, value in config.items()}

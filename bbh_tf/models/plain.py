"""Making an ordinary Keras model of one draw."""

import contextlib

import keras

from bbh_tf.layers import selection
from bbh_tf.layers.bayesian import Bayesian
from bbh_tf.layers.stochastic import Stochastic
from bbh_tf.models import layer_values


def clone(network, replace):
    """Clones a functional or sequential model, layer by layer.

    The clone is not compiled: an optimiser would take memory at once.

    Args:
        network: a built `keras.Model` made of layers.
        replace: callable that takes a layer (no model) and returns the
            layer to put in its place, not yet built.

    Returns:
        `(clone, pairs)`: the new model, and a list of `(old, new)` layers.

    Raises:
        ValueError: if the network, or one inside it, is neither functional
            nor sequential, or is not built.
    """
    check_cloneable(network)
    pairs = []

    def clone_layer(layer):
        if not isinstance(layer, keras.layers.Layer):
            # An operation of `keras.ops`.
            return copy_of(layer)
        if isinstance(layer, keras.Model):
            check_cloneable(layer)
        new = replace(layer)
        pairs.append((layer, new))
        return new

    with _not_compiled(network):
        new_network = keras.models.clone_model(
            network, clone_function=clone_layer, recursive=True
        )
    return new_network, pairs


@contextlib.contextmanager
def _not_compiled(network):
    compiled = [
        model
        for model in selection.sublayers_of(network)
        if getattr(model, "compiled", False)
    ]
    for model in compiled:
        model.compiled = False
    try:
        yield
    finally:
        for model in compiled:
            model.compiled = True


def check_cloneable(network):
    """Refuses a network whose layers cannot be seen.

    Raises:
        ValueError: if it is neither functional nor sequential, or not built.
    """
    if not isinstance(network, keras.Model):
        raise ValueError(
            f"Expected a functional or Sequential keras.Model; got {network!r}."
        )
    # Keras has no public name for its functional models.
    is_functional = hasattr(network, "operations")
    if not is_functional and not isinstance(network, keras.Sequential):
        raise ValueError(
            f"{type(network).__name__} {network.name!r} is a subclass of "
            "keras.Model, whose layers cannot be replaced: expected a "
            "functional or Sequential model."
        )
    if not network.built:
        raise ValueError(
            f"Model {network.name!r} is not built: give it a keras.Input, or "
            "call it on data first."
        )


def random_layers_of(network):
    """Finds the random layers of a network.

    Args:
        network: a built functional or Sequential `keras.Model`.

    Returns:
        List of `Bayesian` and `Stochastic` layers, in the order in which Keras
        lists them.

    Raises:
        ValueError: if there is none, or two share weights; if a recurrent
            layer keeps its state; or if the network has several outputs.
    """
    check_cloneable(network)
    _check_stateless(network)
    layers = _random_in(network)
    if not layers:
        raise ValueError(
            f"Network {network.name!r} has no Bayesian layer: wrap layers "
            "in bbh_tf.layers.Bayesian, or use bbh_tf.models.bayesify."
        )
    _check_own_weights(layers)
    check_one_output(network)
    return layers


def _random_in(layer):
    return [x for x in selection.sublayers_of(layer) if is_random(x)]


def check_ordinary(network, expected, instead):
    """Refuses a network with random layers.

    Args:
        network: a `keras.Model`.
        expected: what was expected, for the message.
        instead: what there is for such a layer, for the message.

    Raises:
        ValueError: naming the first of them.
    """
    for layer in _random_in(network):
        raise ValueError(
            f"{expected}; layer {layer.name!r} is a {type(layer).__name__}, "
            f"{instead}."
        )


def _check_stateless(network):
    for layer in selection.sublayers_of(network):
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            raise ValueError(
                "Expected recurrent layers without a state that stays; "
                f"{layer.name!r} has stateful=True, and one draw would go on "
                "from the state of another."
            )


def _check_own_weights(layers):
    owners = {}
    for layer in layers:
        for variable in layer.replaced_variables:
            owner = owners.setdefault(id(variable), layer)
            if owner is not layer:
                raise ValueError(
                    f"Bayesian layers {owner.name!r} and {layer.name!r} wrap "
                    f"the same weights, {variable.path!r}: wrap the layer "
                    "once, and call that twice."
                )


def check_one_output(network):
    """Refuses a network with several outputs.

    Raises:
        ValueError: naming the network and their number.
    """
    if len(network.outputs) != 1:
        raise ValueError(
            f"Expected a network with one output; {network.name!r} has "
            f"{len(network.outputs)}."
        )


def is_random(layer):
    """Whether a layer is `Bayesian`, or random by itself."""
    return isinstance(layer, (Bayesian, Stochastic))


def copy_of(layer):
    """Returns an unbuilt layer of the same configuration, and name."""
    copy = type(layer).from_config(layer.get_config())
    # A layer that leaves its configuration to Keras may not have it there.
    copy.name = layer.name
    return copy


def unwrap(network, layers, weights, statistics=()):
    """Makes a plain model with drawn weights.

    Args:
        network: the model that holds random layers.
        layers: those layers, as `random_layers_of` lists them.
        weights: for each, its list of tensors of shape `(1, *shape)`.
        statistics: pairs of another variable and its value.

    Returns:
        A `keras.Model` of ordinary layers.

    Raises:
        ValueError: if a draw of a layer is no ordinary layer.
    """
    drawn = {
        id(variable): tensor[0]
        for layer, tensors in zip(layers, weights)
        for variable, tensor in zip(layer.replaced_variables, tensors)
    }
    drawn.update((id(variable), value) for variable, value in statistics)
    whole = {
        id(layer): [tensor[0] for tensor in tensors]
        for layer, tensors in zip(layers, weights)
        if isinstance(layer, Stochastic)
    }
    own = {
        id(variable)
        for layer in layers
        if isinstance(layer, Bayesian)
        for variable in [
            *layer.posterior.variables,
            *getattr(layer.prior, "variables", ()),
            layer.draw_number,
        ]
    }

    def replace(layer):
        if isinstance(layer, Bayesian):
            return copy_of(layer.layer)
        if isinstance(layer, Stochastic):
            return layer.plain_layer()
        return type(layer).from_config(_without_bayesian(layer.get_config()))

    plain, pairs = clone(network, replace)
    for layer in _random_in(plain):
        raise ValueError(
            f"Cannot draw a plain model: {type(layer).__name__} layer "
            f"{layer.name!r} is held by another layer, not by the model."
        )
    for old, new in pairs:
        sources = whole.get(id(old)) or [
            drawn.get(id(v), v) for v in old.variables if id(v) not in own
        ]
        layer_values.assign(old, new, sources)
    return plain


def _without_bayesian(config):
    """Puts wrapped layers in the place of Bayesian ones, at any depth."""
    if isinstance(config, (list, tuple)):
        return type(config)(_without_bayesian(item) for item in config)
    if not isinstance(config, dict):
        return config
    name = keras.saving.get_registered_name(Bayesian)
    if config.get("registered_name") == name:
        # A layer of a functional model has its place in the graph besides.
        place = {k: config[k] for k in ("name", "inbound_nodes") if k in config}
        config = {**place, **config["config"]["layer"]}
    return {k: _without_bayesian(value) for k, value in config.items()}

"""Making an ordinary Keras model of one draw."""

import keras

from bbh_tf.layers import selection
from bbh_tf.layers.bayesian import Bayesian


def clone(network, replace):
    """Clones a functional or sequential model, layer by layer.

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
        if isinstance(layer, keras.Model):
            check_cloneable(layer)
        new = replace(layer)
        pairs.append((layer, new))
        return new

    new_network = keras.models.clone_model(
        network, clone_function=clone_layer, recursive=True
    )
    return new_network, pairs


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


def bayesian_layers_of(network):
    """Finds the `Bayesian` layers of a network.

    Args:
        network: a built functional or Sequential `keras.Model`.

    Returns:
        List of layers, in the order in which Keras lists them.

    Raises:
        ValueError: if there is none, or the network has several outputs.
    """
    check_cloneable(network)
    layers = [
        layer
        for layer in selection.sublayers_of(network)
        if isinstance(layer, Bayesian)
    ]
    if not layers:
        raise ValueError(
            f"Network {network.name!r} has no Bayesian layer: wrap layers "
            "in bbh_tf.layers.Bayesian, or use bbh_tf.models.bayesify."
        )
    if len(network.outputs) != 1:
        raise ValueError(
            f"Expected a network with one output; {network.name!r} has "
            f"{len(network.outputs)}."
        )
    return layers


def copy_of(layer):
    """Returns an unbuilt layer of the same configuration."""
    return type(layer).from_config(layer.get_config())


def unwrap(network, layers, weights):
    """Makes a plain model with drawn weights.

    Args:
        network: the model that holds `Bayesian` layers.
        layers: those layers.
        weights: for each, its list of tensors of shape `(1, *shape)`.

    Returns:
        A `keras.Model` of ordinary layers.
    """
    drawn = {
        id(variable): tensor[0]
        for layer, tensors in zip(layers, weights)
        for variable, tensor in zip(layer.replaced_variables, tensors)
    }

    def replace(layer):
        return copy_of(layer.layer if isinstance(layer, Bayesian) else layer)

    plain, pairs = clone(network, replace)
    for old, new in pairs:
        source = old.layer if isinstance(old, Bayesian) else old
        for variable, target in zip(source.variables, new.variables):
            target.assign(drawn.get(id(variable), variable))
    return plain

"""Networks that a model takes, and those that it refuses."""

import keras

from bbh_tf.layers import selection
from bbh_tf.layers.random_layer import RandomLayer
from bbh_tf.models import cloning


def random_layers_of(network):
    """Finds the random layers of a network.

    Args:
        network: a built functional or Sequential `keras.Model`.

    Returns:
        List of `RandomLayer`, in the order in which Keras lists them.

    Raises:
        ValueError: if there is none, or two share weights; if a recurrent
            layer keeps its state; or if the network has several outputs.
    """
    cloning.check_cloneable(network)
    _check_stateless(network)
    layers = random_in(network)
    if not layers:
        has_dropout = any(
            isinstance(x, keras.layers.Dropout)
            for x in selection.sublayers_of(network)
        )
        instead = (
            '; for MC dropout, bayesify(network, dropout="keras")'
            if has_dropout
            else ""
        )
        raise ValueError(
            f"Network {network.name!r} has no Bayesian layer: wrap layers "
            "in bbh_tf.layers.Bayesian, or use bbh_tf.models.bayesify"
            f"{instead}."
        )
    _check_own_weights(layers)
    check_one_output(network)
    return layers


def random_in(layer):
    """Returns the random layers in a layer or model, itself included."""
    return [
        x for x in selection.sublayers_of(layer) if isinstance(x, RandomLayer)
    ]


def check_ordinary(network, expected, instead):
    """Refuses a network with random layers.

    Args:
        network: a `keras.Model`.
        expected: what was expected, for the message.
        instead: what there is for such a layer, for the message.

    Raises:
        ValueError: naming the first of them.
    """
    for layer in random_in(network):
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
    is_sequential = isinstance(network, keras.Sequential)
    if not is_sequential and keras.tree.is_nested(network.output):
        kind = type(network.output).__name__
        if len(network.outputs) == 1:
            raise ValueError(
                "Expected a network whose one output is a tensor; that of "
                f"{network.name!r} is in a {kind}: make it of the tensor, "
                "keras.Model(network.inputs, network.outputs[0])."
            )
    if len(network.outputs) != 1:
        raise ValueError(
            f"Expected a network with one output; {network.name!r} has "
            f"{len(network.outputs)}."
        )


def check_held_once(network):
    """Refuses to describe layers that several models in a network hold.

    Keras describes such a layer once for each of them, and makes as many
    layers of that: a clone would have more weights, a file cannot be read.

    Raises:
        ValueError: naming the layer and two of the models, if it has
            variables; or two layers, if one holds weights of the other.
    """
    holders = {}
    for model in selection.sublayers_of(network):
        if not isinstance(model, keras.Model):
            continue
        for layer in model.layers:
            holder = holders.setdefault(id(layer), model)
            if holder is not model and layer.variables:
                raise ValueError(
                    "Expected layers that one model holds, since Keras makes "
                    "several of others when it clones a model or reads a file; "
                    f"{layer.name!r} is a layer of {holder.name!r} and of "
                    f"{model.name!r}: keep the weights alone, with "
                    "save_weights, and make the model by the same code."
                )
    cloning.check_own_weights(network)

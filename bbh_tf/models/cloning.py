"""Copies of functional and sequential models, layer by layer."""

import contextlib

import keras

from bbh_tf.layers import copying
from bbh_tf.layers import selection


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
            nor sequential, or is not built; if two of its layers hold the
            same weights.
    """
    check_cloneable(network)
    check_own_weights(network)
    pairs = []

    def clone_layer(layer):
        if not isinstance(layer, keras.layers.Layer):
            # An operation of `keras.ops`.
            return copying.copy_of(layer)
        if isinstance(layer, keras.Model):
            check_cloneable(layer)
        new = replace(layer)
        pairs.append((layer, new))
        return new

    with _not_compiled(network):
        new_network = keras.models.clone_model(
            network, clone_function=clone_layer, recursive=True
        )
    _freeze_alike(network, new_network)
    return new_network, pairs


def check_own_weights(network):
    """Refuses layers that hold another's weights, of which copies had more.

    Each layer is made anew from its configuration, what it holds included.

    Raises:
        ValueError: naming the layers and one of these weights.
    """
    owners = {}
    for layer in _layers_in(network):
        for variable in layer.weights:
            owner = owners.setdefault(id(variable), layer)
            if owner is not layer:
                raise ValueError(
                    "Expected layers that hold no weights of others, since "
                    "copies and files would have several of them; "
                    f"{variable.path!r} is a "
                    f"weight of {owner.name!r} and of {layer.name!r}: call one "
                    "layer twice, or make both parts of one layer."
                )


def _layers_in(network):
    """Returns the layers of a model and of those in it, but no models."""
    found = []
    for layer in network.layers:
        is_model = isinstance(layer, keras.Model)
        found += _layers_in(layer) if is_model else [layer]
    return found


def _freeze_alike(network, clone):
    """Says of models what Keras leaves out: whether they are frozen.

    Else `trainable = True` would do nothing to a copy that calls itself that
    already, and its layers would stay frozen.
    """
    # Of the model alone: its layers have been told.
    clone._trainable = network.trainable
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            _freeze_alike(layer, clone.get_layer(layer.name))


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
        ValueError: if it is neither functional nor sequential, or not built,
            or an operation takes the variable of a layer.
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
    _check_operations(network)


def _check_operations(network):
    """Refuses operations on variables, which copies would share."""
    for operation in getattr(network, "operations", ()):
        for node in operation._inbound_nodes:
            given = keras.tree.flatten(
                (node.arguments.args, node.arguments.kwargs)
            )
            for leaf in given:
                if isinstance(leaf, keras.Variable):
                    raise ValueError(
                        "Expected variables that layers alone compute with, "
                        "since copies and draws have others: operation "
                        f"{operation.name!r} of {network.name!r} takes "
                        f"{leaf.path!r}. Make it a layer's, which may be "
                        "called twice."
                    )

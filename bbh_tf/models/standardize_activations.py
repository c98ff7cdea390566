"""Initial weights that depend on data."""

import keras
import numpy as np

from bbh_tf.layers import selection
from bbh_tf.layers import weight_specs
from bbh_tf.models import cloning
from bbh_tf.models import inputs_of

# Units whose outputs all inputs agree on are shifted, and not scaled up.
_LEAST_STD = 1e-6


def standardize_activations(network, inputs):
    """Gives every unit outputs of mean 0 and variance 1 before its activation.

    Layer by layer and unit by unit, kernels are divided by the standard
    deviation of their outputs for these inputs, and biases become
    `(bias - mean) / standard deviation`. Do so before training, then make the
    network Bayesian around these weights:
    `bayesify(network, posteriors.WeightNormFlow(), start="pretrained")` starts
    scales g and biases as weight normalisation's data-dependent
    initialisation does.

    Args:
        network: a built functional or Sequential `keras.Model`, changed in
            place. Layers with a kernel whose last axis is that of their
            outputs (dense layers, convolutions) are standardised, for their
            first call in it; others, models within it, and what is frozen,
            or has a frozen variable, stay as they are.
        inputs: array `(examples, ...)`, or a structure of such as the network
            takes it: some tens or hundreds of training inputs; 64 in the
            authors' code.

    Raises:
        ValueError: if no layer can be standardised, there are fewer than two
            inputs, or what a layer gives is not finite.

    References:
        Salimans and Kingma, Weight Normalization, arXiv:1602.07868, Sec. 3;
        Krueger et al., Bayesian Hypernetworks, arXiv:1710.04759.
    """
    cloning.check_cloneable(network)
    structure = inputs_of.structure(network)
    inputs = inputs_of.arrays(inputs, structure)
    count = len(keras.tree.flatten(inputs)[0])
    if count < 2:
        raise ValueError(
            f"standardize_activations expects two inputs or more; got {count}."
        )
    layers = [
        layer
        for layer in network.layers
        if _has_outputs_last(layer) and not _is_frozen(layer)
    ]
    if not layers:
        raise ValueError(
            "standardize_activations expects a layer with a kernel whose last "
            "axis is that of its outputs, and which is not frozen; "
            f"{network.name!r} has none."
        )
    for layer in layers:
        before = keras.Model(structure, _input_of(layer, network))
        # A program for each layer would be compiled, and used once.
        _standardize(layer, before(inputs, training=False))


def _has_outputs_last(layer):
    if not hasattr(layer, "activation") or not hasattr(layer, "kernel"):
        return False
    (spec,) = weight_specs.specs_of(layer, [layer.kernel])
    return spec.output_axes == (len(spec.shape) - 1,)


def _is_frozen(layer):
    return any(map(selection.is_frozen, (layer.kernel, *layer.weights)))


def _input_of(layer, network):
    """Returns what a layer is called on first in a network, not in others."""
    # Keras has no public names for the graph of a network.
    graph = getattr(network, "_functional", network)._nodes_by_depth
    known = {id(node) for nodes in graph.values() for node in nodes}
    first, *_ = (n for n in layer._inbound_nodes if id(n) in known)
    (tensor,) = first.input_tensors
    return tensor


def _standardize(layer, inputs):
    activation = layer.activation
    layer.activation = keras.activations.linear
    try:
        outputs = np.asarray(layer(inputs), np.float64)
    finally:
        layer.activation = activation
    if getattr(layer, "data_format", None) == "channels_first":
        outputs = np.moveaxis(outputs, 1, -1)
    outputs = outputs.reshape(-1, outputs.shape[-1])
    mean, std = outputs.mean(axis=0), outputs.std(axis=0)
    if not (np.isfinite(mean).all() and np.isfinite(std).all()):
        raise ValueError(
            "standardize_activations expects finite outputs; those of layer "
            f"{layer.name!r} are not."
        )
    scale = np.where(std > _LEAST_STD, 1.0 / np.maximum(std, _LEAST_STD), 1.0)
    layer.kernel.assign(np.asarray(layer.kernel) * scale)
    if layer.bias is not None:
        layer.bias.assign((np.asarray(layer.bias) - mean) * scale)

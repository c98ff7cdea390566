"""What the outputs of a network must be for a likelihood to make sense."""

import weakref

import keras
import tensorflow as tf

from bbh_tf.layers import selection
from bbh_tf.models import inputs_of
from bbh_tf.models import likelihoods

# Whether networks are masked that had to be run to know; asked at each block
# of batches.
_TRACED = weakref.WeakKeyDictionary()

# What leaves probabilities what they are, or averages them: layers, and the
# names of operations of `keras.ops`, which has no public classes for them.
_KEEPING_LAYERS = (
    keras.layers.Average,
    keras.layers.Concatenate,
    keras.layers.Cropping1D,
    keras.layers.Cropping2D,
    keras.layers.Cropping3D,
    keras.layers.Dropout,
    keras.layers.Flatten,
    keras.layers.GlobalAveragePooling1D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalAveragePooling3D,
    keras.layers.Identity,
    keras.layers.Permute,
    keras.layers.Reshape,
    keras.layers.UpSampling1D,
    keras.layers.UpSampling2D,
    keras.layers.UpSampling3D,
)
_KEEPING_OPERATIONS = {
    "Cast",
    "Concatenate",
    "ExpandDims",
    "GetItem",
    "Mean",
    "Reshape",
    "Squeeze",
    "Transpose",
}


def check(likelihood, network):
    """Refuses outputs that would be scored, but not as was meant.

    Args:
        likelihood: a callable, as `likelihoods.get` returns it.
        network: a built functional or sequential `keras.Model` with one
            output.

    Raises:
        ValueError: if logits have been through a softmax or a sigmoid, there
            is only one class, or a learned scale has no output of its own.
    """
    (output,) = network.outputs
    size = output.shape[-1] if output.shape else None
    if isinstance(likelihood, keras.layers.Layer) and not likelihood.built:
        # Its variables are to be there before the optimiser asks for them.
        likelihood.build(output.shape)
    if likelihood is likelihoods.categorical_logits:
        if size == 1:
            raise ValueError(
                'The likelihood "categorical_logits" expects one output for '
                f"each class, at least 2; {network.name!r} has 1. For two "
                'classes make it 2, or take likelihood="bernoulli_logits"; for '
                'numbers likelihood="normal".'
            )
    if likelihoods.has_logits(likelihood):
        last, activation = _ending(network)
        if activation is not None:
            raise ValueError(
                f'The likelihood "{likelihoods.name_of(likelihood)}" expects '
                f"logits; layer {last.name!r} ends in a {activation}, and a "
                "second one would make all predictions nearly alike. Make it "
                "without, or set its `activation = keras.activations.linear` "
                "first."
            )
    if likelihood is likelihoods.normal_learned_scale and size and size % 2:
        raise ValueError(
            'The likelihood "normal_learned_scale" expects two outputs for '
            "each label, a mean and a raw scale; "
            f"{network.name!r} has {size} in all."
        )


def check_class_weight(model, class_weight):
    """Refuses weights of classes where an example has several labels.

    Keras weighs examples, and takes the place of the largest label for the
    class of all.

    Args:
        model: a model with a `likelihood`.
        class_weight: as in `keras.Model.fit`; None for none.

    Raises:
        ValueError: if the likelihood has a name, and several labels.
    """
    if class_weight is None:
        return
    shape = network_of(model).output_shape[1:]
    if model.likelihood is likelihoods.categorical_logits:
        shape = shape[:-1]
    elif not likelihoods.has_logits(model.likelihood):
        return
    if any(size != 1 for size in shape):
        raise ValueError(
            "Expected class_weight where each example has one label; got "
            f"labels {('batch', *shape)}: give sample_weight in that shape."
        )


def network_of(model):
    """Returns the network of a model, or the first of several that are alike.

    Args:
        model: a model of this library, with a Keras model among its layers.
    """
    return next(x for x in model.layers if isinstance(x, keras.Model))


def mask(outputs):
    """Returns the Keras mask of outputs, bools `(batch, ...)`, or None."""
    return getattr(outputs, "_keras_mask", None)


def have_mask(network):
    """Whether the outputs of a network come with a Keras mask."""
    if mask(network.outputs[0]) is not None:
        return True
    parts = selection.sublayers_of(network)
    is_nested = any(
        isinstance(getattr(x, "layer", x), keras.Model) for x in parts[1:]
    )
    if not is_nested or not any(map(_makes_a_mask, parts)):
        return False
    # The symbolic outputs of models within models have lost theirs.
    if network not in _TRACED:
        _TRACED[network] = _is_masked_when_run(network)
    return _TRACED[network]


def _is_masked_when_run(network):
    found = []

    def run(inputs):
        found.append(mask(network(inputs, training=False)))

    tf.function(run, autograph=False).get_concrete_function(
        inputs_of.specs(network)
    )
    return found[-1] is not None


def _makes_a_mask(layer):
    is_masking = isinstance(layer, keras.layers.Masking)
    return is_masking or getattr(layer, "mask_zero", False)


def _ending(network):
    """Returns the operation that ends a network, and its activation.

    Returns:
        `(operation, activation)`, the latter `"softmax"`, `"sigmoid"` or None.
    """
    tensor = network.outputs[0]
    while True:
        history = tensor._keras_history
        last = history.operation
        while isinstance(getattr(last, "layer", None), keras.layers.Layer):
            # `Bayesian`, `TimeDistributed` and other wrappers.
            last = last.layer
        if isinstance(last, keras.Model) and getattr(last, "outputs", None):
            return _ending(last)
        activation = _activation_of(last)
        if activation is not None or not _keeps_values(last):
            return last, activation
        node = history.operation._inbound_nodes[history.node_index]
        tensor = node.input_tensors[0]


def _activation_of(last):
    active = getattr(last, "activation", None)
    # The operation of `keras.ops`, the layer, and TensorFlow's functions.
    names = {type(x).__name__.lower() for x in (last, active)}
    names.add(getattr(active, "__name__", "").removesuffix("_v2"))
    found = [name for name in ("softmax", "sigmoid") if name in names]
    return found[0] if found else None


def _keeps_values(last):
    is_linear = isinstance(last, keras.layers.Activation) and (
        last.activation is keras.activations.linear
    )
    if not isinstance(last, keras.layers.Layer):
        return type(last).__name__ in _KEEPING_OPERATIONS
    return is_linear or isinstance(last, _KEEPING_LAYERS)

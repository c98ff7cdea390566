"""Writing the draws of a model as one program for serving."""

import math

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import memory
from bbh_tf.layers import selection
from bbh_tf.models import inputs_of
from bbh_tf.models import onnx_format
from bbh_tf.models import outputs as outputs_of
from bbh_tf.models import uncertainty_of_draws

# The draws are held twice while they are written: here, and as variables.
_COPIES = 2
FORMATS = ("tf_saved_model", "onnx")


def export(
    path,
    networks,
    num_samples,
    distribution_of,
    signature,
    resources=(),
    format="tf_saved_model",
    opset_version=None,
):
    """Writes a program that says what draws predict, and how surely.

    The draws are variables in it, one for each tensor of a draw, with the
    draws along the first axis; a loop runs over them.

    Args:
        path: where to write, a folder for a SavedModel, a file for ONNX.
        networks: the draws, as `PredictiveModel.networks` yields them.
        num_samples: number of draws.
        distribution_of: function from outputs to a distribution of labels.
        signature: structure of `tf.TensorSpec` that the inputs have.
        resources: what the network reads besides variables; see
            `resources_of`.
        format: one of `FORMATS`.
        opset_version: see `onnx_format.write`.

    Raises:
        MemoryError: if the draws do not fit in memory.
        ValueError: if they do not fit into the format.
    """
    forward, draws = _collect(networks, num_samples)
    if format == "onnx":
        onnx_format.check(sum(x.nbytes for x in _leaves(draws)))
    module = tf.Module(name="draws")
    module.draws = [tf.Variable(x, trainable=False) for x in _leaves(draws)]

    def step(inputs, index, totals):
        draw = keras.tree.pack_sequence_as(
            draws,
            # Read first: TFLite gathers from tensors alone.
            [tf.gather(tf.convert_to_tensor(x), index) for x in module.draws],
        )
        # In float32, which TFLite and accelerators have.
        new = uncertainty_of_draws.terms(
            distribution_of(forward(inputs, **draw)), tf.float32
        )
        return uncertainty_of_draws.update(totals, index, new)

    def serve(inputs):
        totals = step(inputs, 0, None)
        _, totals = tf.while_loop(
            lambda index, _: index < num_samples,
            lambda index, totals: (index + 1, step(inputs, index, totals)),
            (tf.constant(1), totals),
            # Each pass takes what the network needs.
            parallel_iterations=1,
        )
        summary = uncertainty_of_draws.summary(totals)
        return {k: tf.cast(v, tf.float32) for k, v in summary.items()}

    module.resources = resources

    module.serve = tf.function(
        serve, input_signature=[signature], autograph=False
    )
    if format == "onnx":
        onnx_format.write(path, module.serve, signature, opset_version)
        return
    # What no draw replaces, normalisation say, is read from the network.
    concrete = module.serve.get_concrete_function()
    module.shared = list(concrete.graph.variables)
    tf.saved_model.save(
        module, path, signatures={"serving_default": module.serve}
    )


def resources_of(model):
    """Returns what a model's layers hold besides variables: vocabularies."""
    return [
        value
        for layer in selection.sublayers_of(model)
        for value in vars(layer).values()
        if isinstance(value, tf.saved_model.experimental.TrackableResource)
    ]


def check_format(format, resources=()):
    """Refuses formats that are not known, or lack what they need.

    Args:
        format: one of `FORMATS`.
        resources: what the network reads besides variables.

    Raises:
        ValueError: naming them, or the resources.
        ImportError: if what writes ONNX is not installed.
    """
    if format not in FORMATS:
        raise ValueError(
            f'Expected format to be "{FORMATS[0]}" or "{FORMATS[1]}"; got '
            f"{format!r}. (For TFLite, convert the SavedModel.)"
        )
    if format == "onnx":
        onnx_format.check()
        if resources:
            raise ValueError(
                'format="onnx" has no vocabularies: expected a network that '
                "takes numbers; it has a layer that looks up texts. Give it "
                "what that layer puts out, or export a SavedModel."
            )


def input_specs(model, signature=None):
    """Returns the structure of `tf.TensorSpec` of a signature.

    Args:
        model: the model that is exported.
        signature: structure of what has a shape and a type, `keras.InputSpec`
            say; None for what the model's network takes.
    """
    if signature is None:
        return inputs_of.specs(outputs_of.network_of(model))
    return keras.tree.map_structure(
        lambda x: tf.TensorSpec(x.shape, x.dtype, getattr(x, "name", None)),
        signature,
    )


def _collect(networks, num_samples):
    """Returns the function of all draws, and the draws, in arrays."""
    forward = draws = None
    for index, network in enumerate(networks):
        if draws is None:
            # XLA's programs would bind the server to XLA.
            forward = getattr(network.func, "python_function", network.func)
            draws = _room(network.keywords, num_samples)
        for array, tensor in zip(_leaves(draws), _leaves(network.keywords)):
            array[index] = tensor
    return forward, draws


def _room(draw, num_samples):
    total = sum(
        math.prod(x.shape) * tf.as_dtype(x.dtype).size for x in _leaves(draw)
    )
    memory.require(
        _COPIES * num_samples * total,
        f"{num_samples} draws of {memory.format_bytes(total)} each; export "
        "fewer: num_samples.",
    )
    return keras.tree.map_structure(
        lambda x: np.empty(
            (num_samples, *x.shape), tf.as_dtype(x.dtype).as_numpy_dtype
        ),
        draw,
    )


def _leaves(structure):
    return keras.tree.flatten(structure)

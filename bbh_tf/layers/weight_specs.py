"""What the variables of Keras layers are: kernels or biases, of which units."""

import keras

from bbh_tf import weights
from bbh_tf.layers import selection

_TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


def specs_of(layer, variables):
    """Describes variables of a layer, or of the layers in it.

    Args:
        layer: a built Keras layer or model.
        variables: list of `keras.Variable`, as `selection.random_variables`
            lists them.

    Returns:
        List of `bbh_tf.weights.WeightSpec`.
    """
    owners = {
        id(variable): owner
        for owner in selection.sublayers_of(layer)
        for variable in (
            *owner._trainable_variables,
            *owner._non_trainable_variables,
        )
    }
    return [_spec_of(owners.get(id(v)), v) for v in variables]


def random_indices(layer, sublayers, posterior):
    """Says which variables of a layer a posterior takes.

    Args:
        layer: a built Keras layer or model.
        sublayers: see `selection.random_variables`.
        posterior: a `bbh_tf.posteriors.Posterior`.

    Returns:
        Tuple of their places in `layer.weights`.
    """
    found = selection.random_variables(layer, sublayers)
    places = {id(variable): i for i, variable in enumerate(layer.weights)}
    return tuple(
        places[id(variable)]
        for variable, spec in zip(found, specs_of(layer, found))
        if posterior.replaces(spec)
    )


def _spec_of(owner, variable):
    shape = tuple(variable.shape)
    if "bias" in variable.name:
        # One number for each unit, along whatever axes these lie.
        return weights.WeightSpec(
            variable.name, shape, "bias", tuple(range(len(shape)))
        )
    axes = None
    if len(shape) > 1:
        axes = _output_axes(owner, variable.name, len(shape))
    return weights.WeightSpec(variable.name, shape, output_axes=axes)


def _output_axes(owner, name, rank):
    if isinstance(owner, _TRANSPOSED):
        # Kernels (*sizes, outputs, inputs).
        return (rank - 2,)
    if "depthwise" in name or _is_depthwise(owner):
        # (*sizes, inputs, multiplier): a filter for each pair.
        return rank - 2, rank - 1
    if isinstance(owner, keras.layers.EinsumDense) and name == "kernel":
        inputs, outputs = owner.equation.split("->")
        _, kernel = inputs.split(",")
        # What is not among the outputs is summed over. A letter of inputs and
        # outputs has weights of its own at each index, as depthwise kernels.
        return tuple(
            axis for axis, letter in enumerate(kernel) if letter in outputs
        )
    return None


def _is_depthwise(owner):
    return isinstance(
        owner, (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
    )

"""The linear part of dense and convolutional layers, on any kernel."""

import keras

_CONVOLUTIONS = keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D
_DEPTHWISE = keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D


def is_known(layer):
    """Whether a layer is activation(linear(inputs, kernel) + bias).

    Subclasses are not taken for what they are made of.
    """
    return type(layer) in (keras.layers.Dense, *_CONVOLUTIONS, *_DEPTHWISE)


def linear(layer, inputs, kernel):
    """Applies a kernel as the layer does, without bias or activation.

    Args:
        layer: a layer that `is_known`.
        inputs: its inputs.
        kernel: tensor of the shape of its kernel.

    Returns:
        The outputs.
    """
    if isinstance(layer, keras.layers.Dense):
        return keras.ops.matmul(inputs, kernel)
    settings = {
        "strides": layer.strides,
        "padding": layer.padding,
        "data_format": layer.data_format,
        "dilation_rate": layer.dilation_rate,
    }
    if isinstance(layer, _DEPTHWISE):
        return keras.ops.depthwise_conv(inputs, kernel, **settings)
    if layer.padding == "causal":
        before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
        padding = [[0, 0], [0, 0], [0, 0]]
        padding[1 if _is_channels_last(layer) else 2] = [before, 0]
        inputs = keras.ops.pad(inputs, padding)
        settings["padding"] = "valid"
    return keras.ops.conv(inputs, kernel, **settings)


def add_bias(layer, outputs, bias):
    """Adds a bias along the axis of the outputs' channels.

    Args:
        layer: a layer that `is_known`.
        outputs: its outputs, before the bias.
        bias: tensor `(units,)`; None for none.

    Returns:
        The sum.
    """
    if bias is None:
        return outputs
    if not _is_channels_last(layer):
        bias = keras.ops.reshape(bias, (-1, *[1] * layer.rank))
    return outputs + bias


def _is_channels_last(layer):
    is_dense = isinstance(layer, keras.layers.Dense)
    return is_dense or layer.data_format == "channels_last"

"""The dense layer of couplings and of masked networks."""

import keras
import numpy as np
import tensorflow as tf


class FlowDense(keras.layers.Layer):
    """Dense layer, weight-normalised or masked on request.

    Args:
        units: number of outputs.
        weight_norm: whether kernels are `g v / |v|` for each output.
        kernel_std: standard deviation of the initial kernel; None for that of
            He's initialisation.
        relu: whether the outputs are rectified.
    """

    def __init__(self, units, weight_norm, kernel_std, relu=False):
        super().__init__(dtype="float32")
        self.units = units
        self.weight_norm = weight_norm
        self.kernel_std = kernel_std
        self.relu = relu

    def build(self, dim):
        """Makes kernel, bias and, on request, scales."""
        std = self.kernel_std
        if std is None:
            std = np.sqrt(2.0 / max(dim, 1))
        self._kernel = self.add_weight(
            name="kernel",
            shape=(dim, self.units),
            initializer=keras.initializers.RandomNormal(0.0, std),
            autocast=False,
        )
        self._bias = self.add_weight(
            name="bias",
            shape=(self.units,),
            initializer="zeros",
            autocast=False,
        )
        if self.weight_norm:
            # What |v| is on average.
            self._scale = self.add_weight(
                name="scale",
                shape=(self.units,),
                initializer=keras.initializers.Constant(
                    std * np.sqrt(max(dim, 1))
                ),
                autocast=False,
            )

    def call(self, inputs, connections=None):
        """Returns what a dense layer does.

        Args:
            inputs: `float32` tensor `(rows, dim)`.
            connections: tensor of zeros and ones `(dim, units)`, which of the
                kernel's entries count; None for all.
        """
        kernel = tf.convert_to_tensor(self._kernel)
        if connections is not None:
            kernel *= connections
        if self.weight_norm:
            kernel = self._scale * tf.math.l2_normalize(kernel, axis=0)
        outputs = tf.matmul(inputs, kernel) + self._bias
        return tf.nn.relu(outputs) if self.relu else outputs


def count_parameters(inputs, units, weight_norm):
    """Counts the parameters of a `FlowDense`."""
    return inputs * units + units * (2 if weight_norm else 1)

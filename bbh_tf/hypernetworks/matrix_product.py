"""A hypernetwork of matrix products: about one parameter for each weight."""

import math

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import weights
from bbh_tf.hypernetworks import hyperfan
from bbh_tf.hypernetworks import hypernetwork
from bbh_tf.hypernetworks import matrix_dense


@keras.saving.register_keras_serializable(package="bbh_tf.hypernetworks")
class MatrixProduct(hypernetwork.Hypernetwork):
    """Generates a weight matrix as `L X R + B`, X being made from the noise.

    A dense layer turns the noise into a square matrix, further layers
    `activation(L X R + B)` turn it into larger ones, and the last one gives
    the weights: a kernel as a matrix whose columns are output units or
    filters. L, R and B are parameters, so there is one parameter (in B) for
    each weight and few others: 1.4 per weight for the kernels of the paper's
    LeNet, where `MLP((64, 256, 16))` has 17. Draws differ from B by a matrix
    whose rank is the last of `units`.

    Args:
        units: sizes of the square hidden matrices.
        activation: activation of the hidden matrices; None for leaky ReLU of
            slope 0.1.
        kernel_initializer: initialiser of L and R, and of the first layer.
        name: name of the layer.

    Raises:
        ValueError: if `units` is not a sequence of positive integers, at least
            one, or `kernel_initializer` is `"hyperfan"`.

    Example:

    ```python
    bbh_tf.posteriors.Implicit(
        hypernetwork=bbh_tf.hypernetworks.MatrixProduct(), noise_dim=8
    )
    ```

    References:
        Shi, Sun and Zhu, Kernel Implicit Variational Inference,
        arXiv:1705.10119, Sec. 4.1. Sizes and activation are this library's.
    """

    def __init__(
        self,
        units=(16, 64),
        activation=None,
        kernel_initializer="glorot_uniform",
        name=None,
    ):
        super().__init__(units, activation, kernel_initializer, name)
        if self.kernel_initializer == hyperfan.NAME:
            raise ValueError(
                "MatrixProduct expects an initialiser of Keras, such as "
                f"glorot_uniform; got {kernel_initializer!r}."
            )
        if not self.units:
            raise ValueError(
                "MatrixProduct expects units to be the size of one hidden "
                f"matrix or more; got {units!r}."
            )

    def slicing(self, shape):
        """Returns `(1, number of weights)`."""
        return 1, math.prod(shape)

    def join(self, slices, shape):
        """Drops the axis of the single slice."""
        return tf.squeeze(slices, axis=1)

    def count_parameters(self, noise_dim, shape):
        """Counts the parameters; see `Hypernetwork.count_parameters`."""
        count = (noise_dim + 1) * self.units[0] ** 2
        for size, (rows, columns) in zip(self.units, self._matrices(shape)):
            count += (rows + columns) * size + rows * columns
        return count

    def build(self, noise_dim, shape):
        """Makes the layers; see `Hypernetwork.build`."""
        self._noise_dim = noise_dim
        self._shape = tuple(shape)
        self._num_slices = 1
        activation = self.activation
        if self._activation_is_default:
            activation = hypernetwork.leaky_relu
        first = self.units[0]
        dense = keras.layers.Dense(
            first**2,
            activation=activation,
            kernel_initializer=weights.fresh_initializer(
                self.kernel_initializer, 0
            ),
            dtype="float32",
            name="hidden_0",
        )
        dense.build((None, noise_dim))
        self._stack = [dense]
        matrices = self._matrices(shape)
        for index, (size, matrix) in enumerate(zip(self.units, matrices), 1):
            is_last = index == len(matrices)
            layer = matrix_dense.MatrixDense(
                matrix,
                None if is_last else activation,
                weights.fresh_initializer(self.kernel_initializer, index),
                name="output" if is_last else f"hidden_{index}",
            )
            layer.build((None, size, size))
            self._stack.append(layer)

    def start_at(self, values, stds):
        """Makes the weights spread narrowly around given ones.

        One number scales all weights, so that the root mean square of
        standard deviation / `stds` is 1; see `Hypernetwork.start_at`.
        """
        output = self._stack[-1]
        output.set_bias(np.zeros(output.shape, np.float32))
        means, variances = self._moments()
        ratio = np.mean(variances.ravel() / np.square(stds))
        scale = 1.0 / np.sqrt(ratio) if ratio > 0 else 1.0
        output.scale(scale)
        self.set_center(values - means.ravel() * scale)

    def set_center(self, values):
        """Sets the output's bias: there is one for each weight."""
        output = self._stack[-1]
        output.set_bias(np.reshape(values, output.shape))

    def _slices(self, noise):
        first, *others = self._stack
        size = self.units[0]
        hidden = tf.reshape(first(noise), (-1, size, size))
        for layer in others:
            hidden = layer(hidden)
        return tf.reshape(hidden, (noise.shape[0], 1, -1))

    def _matrices(self, shape):
        """The shapes of what follows the first hidden matrix."""
        columns = shape[-1] if len(shape) > 1 else 1
        rows = math.prod(shape) // columns
        return [*((size, size) for size in self.units[1:]), (rows, columns)]

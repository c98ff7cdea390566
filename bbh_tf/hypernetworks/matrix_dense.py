"""A layer from matrices to matrices, by a product from either side."""

import keras
import tensorflow as tf

from bbh_tf import weights


class MatrixDense(keras.layers.Layer):
    """Computes `left @ X @ right + bias`.

    Args:
        shape: `(rows, columns)` of the outputs.
        activation: function of the outputs; None for none.
        kernel_initializer: initialiser of `left` and `right`, as Keras takes
            it. If it has a seed, each gets one made from it.
        name: name of the layer.

    References:
        Shi, Sun and Zhu, Kernel Implicit Variational Inference,
        arXiv:1705.10119, Sec. 4.1 ("matrix multiplication neural network").
    """

    def __init__(self, shape, activation, kernel_initializer, name=None):
        super().__init__(name=name, dtype="float32")
        self.shape = tuple(shape)
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        """Makes both factors, and the bias.

        Args:
            input_shape: `(num_samples or None, rows, columns)`.
        """
        rows, columns = self.shape
        self._left, self._right = (
            self.add_weight(
                name=name,
                shape=shape,
                initializer=weights.fresh_initializer(
                    self.kernel_initializer, index
                ),
            )
            for index, (name, shape) in enumerate(
                (
                    ("left", (rows, input_shape[1])),
                    ("right", (input_shape[2], columns)),
                )
            )
        )
        self._bias = self.add_weight(
            name="bias", shape=self.shape, initializer="zeros"
        )

    def call(self, inputs):
        """Maps `(num_samples, rows, columns)` to the outputs of that form."""
        left, right = map(tf.convert_to_tensor, (self._left, self._right))
        outputs = tf.matmul(tf.matmul(left, inputs), right) + self._bias
        return self.activation(outputs)

    def set_bias(self, values):
        """Sets the bias to an array `(rows, columns)`."""
        self._bias.assign(values)

    def scale(self, factor):
        """Multiplies the outputs, less the bias, by a number."""
        self._left.assign(self._left * factor)

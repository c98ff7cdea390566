"""A linear layer whose kernel is held in blocks of columns."""

import keras
import tensorflow as tf

from bbh_tf import checkpointing
from bbh_tf import weights

# About a core's share of cache: 4,096 columns of 512 float32 rows. Where there
# are fewer rows a block has more columns, since each is three operations.
_BLOCK_BYTES = 1 << 23


class BlockedDense(checkpointing.Checkpointed, keras.layers.Layer):
    """Computes `inputs @ kernel + bias` block by block.

    The mathematics, and the distribution of initial values, are those of one
    `keras.layers.Dense` without activation. The last layer of a hypernetwork
    has hundreds of millions of parameters: in blocks, the gradient of each is
    consumed by the optimiser while it is still in cache, and no gradient of
    the whole is ever held.

    Args:
        units: number of outputs.
        kernel_initializer: initialiser of the kernel, as Keras takes it.
            Those that scale with fan-in and fan-out take the whole layer's;
            others see one block at a time.
        name: name of the layer.
    """

    def __init__(self, units, kernel_initializer, name=None):
        super().__init__(name=name, dtype="float32")
        self.units = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        """Makes the blocks of the kernel, and the bias.

        Args:
            input_shape: `(num_rows or None, num_inputs)`.
        """
        num_inputs = input_shape[-1]
        self._kernels = []
        widest = max(1, _BLOCK_BYTES // (4 * num_inputs))
        for index, start in enumerate(range(0, self.units, widest)):
            columns = min(widest, self.units - start)
            initializer = _of_whole(
                self.kernel_initializer, num_inputs, columns, self.units
            )
            self._kernels.append(
                self.add_weight(
                    name=f"kernel_{index}",
                    shape=(num_inputs, columns),
                    initializer=weights.fresh_initializer(initializer, index),
                )
            )
        self._bias = self.add_weight(
            name="bias", shape=(self.units,), initializer="zeros"
        )

    def call(self, inputs):
        """Returns a tensor of shape `(num_rows, units)`."""
        kernels = [tf.convert_to_tensor(kernel) for kernel in self._kernels]
        return _multiply(inputs, *kernels) + self._bias

    def set_bias(self, values):
        """Sets the bias to an array `(units,)`."""
        self._bias.assign(values)

    def scale_columns(self, factors):
        """Multiplies the kernel by an array `(units,)`."""
        start = 0
        for kernel in self._kernels:
            end = start + kernel.shape[1]
            kernel.assign(kernel * factors[start:end])
            start = end


@tf.custom_gradient
def _multiply(inputs, *kernels):
    def gradient(upstream):
        widths = [kernel.shape[1] for kernel in kernels]
        to_inputs, to_kernels = [], []
        for kernel, block in zip(kernels, tf.split(upstream, widths, axis=1)):
            # The kernel's gradient comes last: its update then follows at
            # once, when nothing else reads the kernel, which TensorFlow would
            # otherwise copy before it changes it.
            to_inputs.append(tf.matmul(block, kernel, transpose_b=True))
            with tf.control_dependencies(to_inputs[-1:]):
                to_kernels.append(tf.matmul(inputs, block, transpose_a=True))
        return tf.add_n(to_inputs), *to_kernels

    blocks = [tf.matmul(inputs, kernel) for kernel in kernels]
    return tf.concat(blocks, axis=1), gradient


def _of_whole(initializer, num_inputs, columns, units):
    """Makes an initialiser of a block draw as if for the whole kernel."""
    scaling = keras.initializers.VarianceScaling
    if columns == units or not isinstance(initializer, scaling):
        return initializer
    correction = {
        "fan_in": 1.0,
        "fan_out": columns / units,
        "fan_avg": (num_inputs + columns) / (num_inputs + units),
    }[initializer.mode]
    return scaling(
        initializer.scale * correction,
        initializer.mode,
        initializer.distribution,
        initializer.get_config().get("seed"),
    )

"""What all hypernetworks share: a stack of dense layers on noise."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checkpointing
from bbh_tf import checks
from bbh_tf import fixed
from bbh_tf import randomness
from bbh_tf import weights
from bbh_tf.hypernetworks import blocked_dense
from bbh_tf.hypernetworks import hyperfan

_LEAKY_SLOPE = 0.1
# Draws from which the spread of a fresh hypernetwork is found. A few at once:
# one may make as many weights as memory holds.
_NUM_DRAWS, _DRAWS_AT_ONCE = 128, 8


class Hypernetwork(fixed.Fixed, checkpointing.Checkpointed, keras.layers.Layer):
    """Maps noise to flat weights through fully connected layers.

    The input of the stack is the noise joined to a one-hot code that says
    which slice of the weights to make; with a single slice the code is the
    constant 1. Hidden layers are leaky ReLU (slope 0.1), the output is linear,
    kernels start Glorot-uniform and biases at zero, as in the authors' code.
    Everything is float32 under any dtype policy.

    A subclass says how weights are sliced, `slicing` and `join`, and where
    their mean is set, `set_center`.

    Args:
        units: widths of the hidden layers; the paper's are 64, 256, 512
            (Sec. 3).
        activation: activation of the hidden layers, as Keras takes it; None
            for leaky ReLU of slope 0.1.
        kernel_initializer: initialiser of the kernels, as Keras takes it (if
            it has a seed, each kernel, and under `bayesify` each layer's
            hypernetwork, gets one made from it); or `"hyperfan"`,
            with which generated kernels start with the variance that suits
            their layer, 2 / fan-in, where Glorot-uniform makes them far
            smaller. (The fan-in is the number of weights of a filter; strides
            of transposed convolutions do not count.) It needs one hypernetwork
            per tensor: several tensors as one vector have no fan-in, and such
            a posterior refuses it.
        name: name of the layer.

    Raises:
        ValueError: if `units` is not a sequence of positive integers, or there
            is an `activation` with `"hyperfan"`.

    Attributes:
        output_axes: `WeightSpec.output_axes` of the weights, which say their
            fan-in; None for the last axis. Whoever builds the hypernetwork
            sets it before.
    """

    output_axes = None

    def __init__(
        self,
        units=(64, 256, 512),
        activation=None,
        kernel_initializer="glorot_uniform",
        name=None,
    ):
        super().__init__(name=name, dtype="float32")
        units = tuple(units) if hasattr(units, "__iter__") else units
        if not isinstance(units, tuple) or not all(
            checks.is_count(unit) for unit in units
        ):
            raise ValueError(
                f"{type(self).__name__} expects units to be a sequence of "
                f"positive integers, such as (64, 256, 512); got {units!r}."
            )
        self.units = tuple(int(unit) for unit in units)
        self.activation = keras.activations.get(activation)
        self._activation_is_default = activation is None
        self.kernel_initializer = kernel_initializer
        if kernel_initializer != hyperfan.NAME:
            self.kernel_initializer = keras.initializers.get(kernel_initializer)
        elif activation is not None:
            raise ValueError(
                f"{type(self).__name__} expects no activation of your own "
                'with kernel_initializer="hyperfan", which is for leaky ReLU; '
                f"got {activation!r}."
            )

    def slicing(self, shape):
        """Returns `(num_slices, slice_size)` for weights of a shape."""
        raise NotImplementedError

    def join(self, slices, shape):
        """Turns `(num_samples, num_slices, slice_size)` into flat weights."""
        raise NotImplementedError

    def count_parameters(self, noise_dim, shape):
        """Counts the parameters without making them.

        Args:
            noise_dim: dimension of the noise.
            shape: shape of the generated weights.

        Returns:
            An integer.
        """
        num_slices, slice_size = self.slicing(shape)
        widths = (noise_dim + num_slices, *self.units, slice_size)
        return sum((a + 1) * b for a, b in zip(widths[:-1], widths[1:]))

    def build(self, noise_dim, shape):
        """Makes the dense layers.

        Args:
            noise_dim: dimension of the noise, an integer.
            shape: shape of the weights to generate, a tuple.
        """
        self._noise_dim = noise_dim
        self._shape = tuple(shape)
        self._num_slices, slice_size = self.slicing(shape)
        activation = self.activation
        if self._activation_is_default:
            activation = leaky_relu
        width = noise_dim + self._num_slices
        self._stack = []
        for index, units in enumerate(self.units):
            dense = keras.layers.Dense(
                units,
                activation=activation,
                kernel_initializer=self._initializer(index, width),
                dtype="float32",
                name=f"hidden_{index}",
            )
            dense.build((None, width))
            self._stack.append(dense)
            width = units
        output = blocked_dense.BlockedDense(
            slice_size,
            self._initializer(len(self.units), noise_dim + self._num_slices),
            name="output",
        )
        output.build((None, width))
        self._stack.append(output)

    def _initializer(self, index, num_inputs):
        """Returns the initialiser of a kernel; see `hyperfan` for the args."""
        if self.kernel_initializer != hyperfan.NAME:
            return weights.fresh_initializer(self.kernel_initializer, index)
        if index < len(self.units):
            return hyperfan.of_hidden(_LEAKY_SLOPE)
        spec = weights.WeightSpec(
            "weights", self._shape, output_axes=self.output_axes
        )
        return hyperfan.of_output(spec.fan_in, self._noise_dim, num_inputs)

    def __call__(self, noise):
        """Generates flat weights, if it is built; see `call`."""
        if not self.built:
            raise ValueError(
                f"{type(self).__name__} must be built before it is called: "
                "build(noise_dim, shape)."
            )
        return super().__call__(noise)

    def call(self, noise):
        """Generates flat weights.

        Args:
            noise: `float32` tensor of shape `(num_samples, noise_dim)`.

        Returns:
            `float32` tensor of shape `(num_samples, prod(shape))`.
        """
        return self.join(self._slices(noise), self._shape)

    def start_at(self, values, stds):
        """Makes the weights spread narrowly around given ones.

        Each output of the stack is scaled so that, over the weights that it
        makes, the root mean square of standard deviation / `stds` is 1; then
        the weights' means over the noise are put at `values`.

        Args:
            values: flat weights, a `float32` array `(prod(shape),)`.
            stds: standard deviations to start with, positive, likewise.
        """
        output = self._stack[-1]
        output.set_bias(np.zeros(output.units, np.float32))
        means, variances = self._moments()
        slots = self.join(
            tf.reshape(tf.range(means.size), (1, *means.shape)), self._shape
        )[0].numpy()
        squares = np.full(means.size, np.nan)
        squares[slots] = variances.ravel()[slots] / np.square(stds)
        # Slots that hold no weight, behind the last chunk, do not count.
        squares = np.nanmean(squares.reshape(means.shape), axis=0)
        scale = 1.0 / np.sqrt(np.where(squares > 0, squares, 1.0))
        output.scale_columns(scale.astype(np.float32))
        self.set_center(values - (means * scale).ravel()[slots])

    def set_center(self, values):
        """Sets what is added to the flat weights, an array `(prod(shape),)`."""
        raise NotImplementedError

    def _moments(self):
        """Estimates means and variances of the slices, `(slices, size)`."""
        key = randomness.key(0)
        # Deviations from one draw: slices differ far more from each other
        # than draws of one slice, and squares of such numbers lose digits.
        one = self._slices(randomness.normal(key, 1, (self._noise_dim,)))[0]
        means = squares = 0.0
        for first in range(0, _NUM_DRAWS, _DRAWS_AT_ONCE):
            noise = randomness.normal(
                key, _DRAWS_AT_ONCE, (self._noise_dim,), first
            )
            deviations = self._slices(noise) - one
            means += tf.reduce_sum(deviations, axis=0).numpy()
            squares += tf.reduce_sum(tf.square(deviations), axis=0).numpy()
        means, squares = means / _NUM_DRAWS, squares / _NUM_DRAWS
        variances = np.maximum(squares - np.square(means), 0.0)
        return one.numpy() + means, variances

    def _slices(self, noise):
        hidden = self._apply_first(noise)
        for dense in self._stack[1:]:
            hidden = dense(hidden)
        return tf.reshape(hidden, (noise.shape[0], self._num_slices, -1))

    def _apply_first(self, noise):
        """Applies the first layer to the noise joined to each code.

        Returns a tensor of shape `(num_samples * num_slices, width)`.
        """
        first, num_slices = self._stack[0], self._num_slices
        if num_slices == 1 or not self.units:
            codes = tf.tile(tf.eye(num_slices), (noise.shape[0], 1))
            noise = tf.repeat(noise, num_slices, axis=0)
            return first(tf.concat([noise, codes], axis=1))
        # The product with a one-hot code is a row of the kernel. Joined to
        # the noise and multiplied, the codes would take time and memory that
        # grow with the square of their number.
        of_noise, of_codes = tf.split(
            tf.convert_to_tensor(first.kernel), (noise.shape[1], num_slices)
        )
        sums = tf.matmul(noise, of_noise)[:, tf.newaxis] + (
            of_codes + first.bias
        )
        return first.activation(tf.reshape(sums, (-1, first.units)))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "units": list(self.units),
            "activation": None
            if self._activation_is_default
            else keras.activations.serialize(self.activation),
            "kernel_initializer": self.kernel_initializer
            if self.kernel_initializer == hyperfan.NAME
            else keras.initializers.serialize(self.kernel_initializer),
            "name": self.name,
        }

    def get_build_config(self):
        """Returns None: whoever owns a hypernetwork builds it."""
        return None


def leaky_relu(x):
    """The activation of the paper's hidden layers."""
    return tf.nn.leaky_relu(x, alpha=_LEAKY_SLOPE)

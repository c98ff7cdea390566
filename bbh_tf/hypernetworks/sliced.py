"""A small hypernetwork that makes the weights slice by slice."""

import math

import keras

from bbh_tf import checks
from bbh_tf import weights
from bbh_tf.hypernetworks import hypernetwork

ADVICE = (
    "The sliced form of hypernetworks is far smaller: "
    "Implicit(hypernetwork=Sliced()), or Sliced(slices=130) where one makes "
    "several tensors."
)


@keras.saving.register_keras_serializable(package="bbh_tf.hypernetworks")
class Sliced(hypernetwork.Hypernetwork):
    """Generates one slice of the weights for each one-hot code.

    All slices of a tensor share the noise. Tensors of rank 1 (biases) are not
    sliced, unless `slices` is an integer: a posterior that makes a whole layer
    or network as one vector needs one. A code's row of the first kernel is a
    learnt embedding of its slice; a separate embedding layer would only lower
    that kernel's rank.

    Args:
        slices: what a code stands for. `"output"`: one index of the last
            axis, an output filter, as the paper says; `"chunks"`: as many
            slices, but contiguous runs of the row-major tensor, as the
            authors' code has it; an integer: that many contiguous runs.
        units: widths of the hidden layers.
        activation: activation of the hidden layers; None for leaky ReLU of
            slope 0.1.
        kernel_initializer: initialiser of the kernels; or `"hyperfan"`, see
            `Hypernetwork`.
        center: whether a trainable vector, at first 0, is added to the
            weights: a parameter more for each weight. All slices share the
            output's bias; weights that are to start at given values need it.
        name: name of the layer.

    Raises:
        ValueError: if `slices` is none of these, or as `Hypernetwork` does.

    Example:

    ```python
    bbh_tf.posteriors.Implicit(hypernetwork=bbh_tf.hypernetworks.Sliced())
    ```

    References:
        Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
        arXiv:1711.01297, Table 1 ("single G": 130 chunks over the whole
        network; "sliced layer-wise").
    """

    def __init__(
        self,
        slices="output",
        units=(64, 256, 512),
        activation=None,
        kernel_initializer="glorot_uniform",
        center=False,
        name=None,
    ):
        super().__init__(units, activation, kernel_initializer, name)
        is_count = checks.is_count(slices)
        if not is_count and slices not in ("output", "chunks"):
            raise ValueError(
                'Sliced expects slices to be "output", "chunks" or a '
                f"positive integer; got {slices!r}."
            )
        self.slices = int(slices) if is_count else slices
        self.center = checks.flag("center", center)

    def slicing(self, shape):
        """Returns `(num_slices, slice_size)` for weights of a shape."""
        size = math.prod(shape)
        if isinstance(self.slices, int):
            num_slices = min(self.slices, size)
            return num_slices, math.ceil(size / num_slices)
        if len(shape) < 2:
            return 1, size
        return shape[-1], size // shape[-1]

    def join(self, slices, shape):
        """Puts the slices in their places."""
        if self.slices == "output" and len(shape) > 1:
            return weights.join_output_slices(slices)
        return weights.join_chunks(slices, math.prod(shape))

    def count_parameters(self, noise_dim, shape):
        """Counts the parameters; see `Hypernetwork.count_parameters`."""
        count = super().count_parameters(noise_dim, shape)
        return count + self.center * math.prod(shape)

    def build(self, noise_dim, shape):
        """Makes the dense layers, and the center if there is to be one."""
        super().build(noise_dim, shape)
        self._center = None
        if self.center:
            self._center = self.add_weight(
                name="center", shape=(math.prod(shape),), initializer="zeros"
            )

    def call(self, noise):
        """Generates flat weights; see `Hypernetwork.call`."""
        flat = super().call(noise)
        return flat if self._center is None else flat + self._center

    def start_at(self, values, stds):
        """Makes the weights spread narrowly around given ones.

        Args:
            values: flat weights, a `float32` array `(prod(shape),)`.
            stds: standard deviations to start with, positive, likewise.

        Raises:
            ValueError: if there are slices to share a bias, and no center.
        """
        if self._center is None and self._num_slices > 1:
            raise ValueError(
                "The slices of Sliced share their biases, which cannot hold "
                "given weights: expected Sliced(center=True), with a "
                "parameter more for each weight, or MLP(); got "
                "Sliced(center=False)."
            )
        super().start_at(values, stds)

    def set_center(self, values):
        """Sets the center, or the output's bias where there is one slice."""
        if self._center is None:
            self._stack[-1].set_bias(values)
        else:
            self._center.assign(values)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "slices": self.slices,
            **super().get_config(),
            "center": self.center,
        }

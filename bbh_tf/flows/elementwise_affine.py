"""A scale and a shift of each element."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checks
from bbh_tf.flows import flow

# Of where parameters start, as in the authors' code.
_INITIAL_STD = 0.01


@keras.saving.register_keras_serializable(package="bbh_tf.flows")
class ElementwiseAffine(flow.Flow):
    """Maps `z` to `(exp(a) + min_scale) z + b`, element by element.

    Of standard normal noise it makes independent normal values: by itself it
    is the factorised posterior of Bayes by Backprop.

    Args:
        initial_log_scale: `a` starts at normal values around this, of
            standard deviation 0.01. The default makes standard deviations of
            0.002, as the authors' code starts with.
        initial_shift: where `b` starts, likewise.
        min_scale: added to each scale; 0.001 in the authors' code.
        name: name of the layer.

    Raises:
        ValueError: if an argument is invalid.

    References:
        Krueger et al., Bayesian Hypernetworks, arXiv:1710.04759.
    """

    has_scales = True

    def __init__(
        self,
        initial_log_scale=-6.25,
        initial_shift=0.0,
        min_scale=0.0,
        name=None,
    ):
        super().__init__(name=name)
        for argument, value in (
            ("initial_log_scale", initial_log_scale),
            ("initial_shift", initial_shift),
        ):
            checks.check_number(argument, value)
        checks.check_factor("min_scale", min_scale)
        self.initial_log_scale = float(initial_log_scale)
        self.initial_shift = float(initial_shift)
        self.min_scale = float(min_scale)

    def build(self, dim):
        """Makes the parameters; see `Flow.build`."""
        super().build(dim)
        self.log_scale, self.shift = (
            self.add_weight(
                name=name,
                shape=(dim,),
                initializer=keras.initializers.RandomNormal(
                    start, _INITIAL_STD
                ),
                autocast=False,
            )
            for name, start in (
                ("log_scale", self.initial_log_scale),
                ("shift", self.initial_shift),
            )
        )

    def count_parameters(self, dim):
        """Counts a scale and a shift for each element."""
        return 2 * dim

    def call(self, z):
        """Maps forward; see `Flow.call`."""
        scale = self._scale()
        return scale * z + self.shift, self._log_det(scale, z)

    def inverse(self, mapped):
        """Maps back; see `Flow.inverse`."""
        self.check_vectors(mapped)
        scale = self._scale()
        return (mapped - self.shift) / scale, -self._log_det(scale, mapped)

    def start_at(self, stds):
        """Sets the scales, and the shifts to zero; see `Flow.start_at`.

        Raises:
            ValueError: if a standard deviation is `min_scale` or less.
        """
        stds = np.asarray(stds, np.float32)
        if not np.all(stds > self.min_scale):
            raise ValueError(
                f"Expected standard deviations above min_scale, "
                f"{self.min_scale}; got {np.min(stds)}."
            )
        self.log_scale.assign(np.log(stds - self.min_scale))
        self.shift.assign(np.zeros_like(stds))

    def _scale(self):
        return tf.exp(tf.convert_to_tensor(self.log_scale)) + self.min_scale

    def _log_det(self, scale, like):
        total = tf.reduce_sum(tf.math.log(scale))
        return tf.broadcast_to(total, tf.shape(like)[:-1])

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "initial_log_scale": self.initial_log_scale,
            "initial_shift": self.initial_shift,
            "min_scale": self.min_scale,
            "name": self.name,
        }

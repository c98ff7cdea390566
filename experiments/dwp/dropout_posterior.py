"""The posterior that the authors compare with: variational dropout's."""

import math

import keras
import numpy as np
import tensorflow as tf

import bbh_tf as bbh

# A root mean square for the logarithm of weights that are 0.
_TINY = 1e-30
_FIRST_LOGIT = -2.0


@keras.saving.register_keras_serializable(package="experiments.dwp")
class DropoutPosterior(bbh.posteriors.MeanField):
    """N(mean, alpha mean^2) for each weight, alpha at most 1.

    alpha is a sigmoid, 0.12 at first. The KL to the log-uniform prior is one of
    alpha alone, so that it leaves the means as they are. With a variance of its
    own, as `MeanField` has, it drives them to 0 instead: that is the shorter
    way to a large alpha.

    Args:
        name: name of the layer.

    References:
        Kingma et al., Variational Dropout and the Local Reparameterization
        Trick, arXiv:1506.02557; the code of Atanov et al., arXiv:1810.06943.
    """

    def __init__(self, name=None):
        super().__init__(kernels_only=True, name=name)

    def build(self, specs):
        """Makes means and the logits of alpha."""
        self._specs = list(specs)
        self._means, self._logits = (
            [
                self.add_weight(
                    name=f"{spec.name}_{what}",
                    shape=spec.shape,
                    initializer=initializer,
                    dtype="float32",
                    autocast=False,
                )
                for spec in specs
            ]
            for what, initializer in (
                ("mean", "glorot_normal"),
                ("logit", keras.initializers.Constant(_FIRST_LOGIT)),
            )
        )

    @property
    def _log_variances(self):
        return [
            tf.math.log_sigmoid(tf.convert_to_tensor(logit))
            + tf.math.log(tf.square(tf.convert_to_tensor(mean)) + _TINY)
            for mean, logit in zip(self._means, self._logits)
        ]

    def start_at(self, values, relative_std):
        """Puts means at weights, and all alphas at the square of a ratio.

        Raises:
            ValueError: if `relative_std` is 1 or more.
        """
        self.check_built()
        alpha = relative_std**2
        if alpha >= 1:
            raise ValueError(
                f"Expected relative_std below 1; got {relative_std}."
            )
        for mean, logit, value in zip(
            self._means, self._logits, values, strict=True
        ):
            mean.assign(value)
            first = math.log(alpha / (1 - alpha))
            logit.assign(np.full(logit.shape, first, np.float32))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {}

"""What `LogUniform` is for TensorFlow Probability: the KL of a normal."""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

# Molchanov et al., arXiv:1701.05369, Eq. 14.
_SIGMOID = 0.63576, 1.87320, 1.48695
# Kingma et al., arXiv:1506.02557, App. C.
_CUBIC = 1.16145124, -1.50204118, 0.58629921
# -E log |x| of a standard normal x, which makes the KL 0 at infinite alpha.
_CONSTANT = 0.5 * (np.euler_gamma + np.log(2.0))
_TINY = 1e-30


class LogUniformKL(tfp.distributions.Distribution):
    """The log-uniform distribution, improper, with the KL of a normal.

    Args:
        approximation: `"molchanov"` or `"kingma"`.
    """

    def __init__(self, approximation):
        parameters = {"approximation": approximation}
        self.approximation = approximation
        super().__init__(
            dtype=tf.float32,
            reparameterization_type=tfp.distributions.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=True,
            parameters=parameters,
            name="LogUniform",
        )

    def _batch_shape(self):
        return tf.TensorShape([])

    def _event_shape(self):
        return tf.TensorShape([])


@tfp.distributions.RegisterKL(tfp.distributions.Normal, LogUniformKL)
def _kl(posterior, prior, name=None):
    with tf.name_scope(name or "kl_normal_log_uniform"):
        ratio = tf.square(posterior.loc) / tf.square(posterior.scale)
        log_alpha = -tf.math.log(ratio + _TINY)
        if prior.approximation == "molchanov":
            k1, k2, k3 = _SIGMOID
            rest = tf.sigmoid(-k2 - k3 * log_alpha)
            return k1 * rest + 0.5 * tf.math.log1p(ratio)
        alpha = tf.exp(tf.minimum(log_alpha, 0.0))
        c1, c2, c3 = _CUBIC
        cubic = alpha * (c1 + alpha * (c2 + alpha * c3))
        return _CONSTANT - 0.5 * tf.math.log(alpha + _TINY) - cubic

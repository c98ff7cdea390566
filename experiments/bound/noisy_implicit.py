"""A hypernetwork with noise on each weight, which has a density to bound."""

import math

import keras
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import normal
from bbh_tf import weights

# What the noise of each weight starts at: Bayes by Backprop's on the toy.
_INITIAL_LOG_VARIANCE = -3.0


class NoisyImplicit(bbh.posteriors.Posterior):
    """w = G(z) + sigma * epsilon, sigma a number for each weight.

    Its density is a mixture over z. The log-density of a sample is bounded
    from above, on average, by that of the mixture over its own z and others
    drawn beside it, so that `MonteCarloKL` is an upper bound of the KL, and
    the objective one of the evidence.

    Args:
        units: widths of the hypernetwork's hidden layers.
        noise_dim: dimension of z.
        num_components: the others, K; the bound gains log(K + 1) at most.
        name: name of the layer.

    References:
        Yin and Zhou, Semi-Implicit Variational Inference, arXiv:1805.11183,
        Eqs. 6 and 7.
    """

    has_log_prob = True

    def __init__(self, units, noise_dim, num_components, name=None):
        super().__init__(name=name)
        self.units = tuple(units)
        self.noise_dim = noise_dim
        self.num_components = num_components

    def build(self, specs):
        """Makes the hypernetwork and the log-variances of the noise."""
        self._shapes = [spec.shape for spec in specs]
        self._size = sum(spec.size for spec in specs)
        self._generator = bbh.hypernetworks.MLP(self.units)
        self._generator.build(self.noise_dim, (self._size,))
        self._log_variances = self.add_weight(
            name="log_variances",
            shape=(self._size,),
            initializer=keras.initializers.Constant(_INITIAL_LOG_VARIANCE),
            autocast=False,
        )

    def count_parameters(self, specs):
        """Counts the hypernetwork's parameters and the log-variances."""
        size = sum(spec.size for spec in specs)
        made = bbh.hypernetworks.MLP(self.units)
        return size + made.count_parameters(self.noise_dim, (size,))

    def sample(self, num_samples, key, position=0, first=0):
        """Draws weights; see `Posterior.sample`. Log-densities are bounds."""
        del position
        values, means, log_variances = self._draw(num_samples, key, first)
        log_prob = self._log_mixture(
            values, means, log_variances, key, self.num_components
        )
        return weights.unflatten(values, self._shapes), log_prob

    def information(self, num_samples, num_components, key):
        """Estimates I(w; z), which the KL has less than E_z KL(q(w | z) || p).

        Args:
            num_samples: samples of w.
            num_components: components of the mixture; the estimate, a lower
                bound, is their logarithm at most.
            key: a key of `bbh_tf.randomness`.

        Returns:
            A float, nats.
        """
        values, means, log_variances = self._draw(num_samples, key, 0)
        own = _log_normal(values - means, log_variances)
        mixture = self._log_mixture(
            values, means, log_variances, key, num_components
        )
        return float(tf.reduce_mean(own - mixture))

    def parameter_report(self):
        """Lists generator and noise; see `Posterior.parameter_report`."""
        made = self._generator.count_params()
        return [("hypernetwork and noise", self._size, made + self._size)]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "units": self.units,
            "noise_dim": self.noise_dim,
            "num_components": self.num_components,
        }

    def _draw(self, num_samples, key, first):
        self.check_built()

        def noise(part, size):
            return bbh.randomness.normal(
                bbh.randomness.fold(key, part), num_samples, (size,), first
            )

        means = self._generator(noise(0, self.noise_dim))
        log_variances = tf.convert_to_tensor(self._log_variances)
        values = means + tf.exp(0.5 * log_variances) * noise(1, self._size)
        return values, means, log_variances

    def _log_mixture(self, values, means, log_variances, key, count):
        others = self._generator(
            bbh.randomness.normal(
                bbh.randomness.fold(key, 2), count, (self.noise_dim,)
            )
        )
        # In units of the noise, squared distances are one product of matrices.
        scale = tf.exp(-0.5 * log_variances)
        # Differences of large squares would be rounded.
        middle = tf.reduce_mean(others, axis=0)
        x, y = (values - middle) * scale, (others - middle) * scale
        squares = (
            tf.reduce_sum(x**2, axis=1)[:, None]
            + tf.reduce_sum(y**2, axis=1)
            - 2.0 * tf.matmul(x, y, transpose_b=True)
        )
        constant = 0.5 * tf.reduce_sum(log_variances + normal.LOG_2_PI)
        parts = tf.concat(
            [
                _log_normal(values - means, log_variances)[:, None],
                -0.5 * tf.maximum(squares, 0.0) - constant,
            ],
            axis=1,
        )
        return tf.reduce_logsumexp(parts, axis=1) - math.log(count + 1)


def _log_normal(differences, log_variances):
    return normal.log_prob(
        differences**2 * tf.exp(-log_variances), log_variances
    )

"""The factorised normal posterior of Bayes by Backprop."""

import math

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import normal
from bbh_tf import randomness
from bbh_tf import weights
from bbh_tf.posteriors import posterior
from bbh_tf.posteriors import starts


@keras.saving.register_keras_serializable(package="bbh_tf.posteriors")
class MeanField(posterior.Posterior):
    """N(mean, exp(log_variance)) for each weight, independently.

    Args:
        initial_log_variance: log-variances start at normal values around
            this, of standard deviation 0.05 and truncated at two of them. The
            default, -9, is a standard deviation of 0.011.
        mean_initializer: initialiser of the means, as Keras takes it (if it
            has a seed, each tensor, and under `bayesify` each layer, gets one
            made from it); None for a truncated normal of variance 1 / fan-in,
            as in the authors' code.
        kernels_only: whether biases stay point estimates, trained without a
            prior, as in Atanov et al. Priors of kernels want no `others` then.
        name: name of the layer.

    Raises:
        ValueError: if `initial_log_variance` is not a finite number, or
            `kernels_only` no bool.

    References:
        Blundell et al., Weight Uncertainty in Neural Networks,
        arXiv:1505.05424; Pawlowski et al., arXiv:1711.01297, Sec. 3 ("BbB");
        Atanov et al., The Deep Weight Prior, arXiv:1810.06943, App. H.
    """

    has_log_prob = True

    def __init__(
        self,
        initial_log_variance=-9.0,
        mean_initializer=None,
        kernels_only=False,
        name=None,
    ):
        super().__init__(name=name)
        self.initial_log_variance = posterior.log_variance(
            "MeanField", initial_log_variance
        )
        self.kernels_only = checks.flag("kernels_only", kernels_only)
        self.mean_initializer = keras.initializers.get(mean_initializer)

    def replaces(self, spec):
        """Says yes, but to a bias where `kernels_only`."""
        return spec.role == "kernel" or not self.kernels_only

    def build(self, specs):
        """Makes means and log-variances.

        Args:
            specs: list of `bbh_tf.weights.WeightSpec`.
        """
        self._specs = list(specs)
        self._means = []
        self._log_variances = []
        for index, spec in enumerate(specs):
            self._means.append(
                self.add_weight(
                    name=f"{spec.name}_mean",
                    shape=spec.shape,
                    initializer=posterior.mean_initializer(
                        self.mean_initializer, index, spec
                    ),
                    dtype="float32",
                    autocast=False,
                )
            )
            self._log_variances.append(
                self.add_weight(
                    name=f"{spec.name}_log_variance",
                    shape=spec.shape,
                    initializer=keras.initializers.TruncatedNormal(
                        self.initial_log_variance, 0.05
                    ),
                    dtype="float32",
                    autocast=False,
                )
            )

    def start_at(self, values, relative_std):
        """Puts means and variances around weights; see `Posterior.start_at`.

        All weights of a tensor start with one variance:
        `initial_log_variance` does not count.
        """
        self.check_built()
        values = starts.arrays(values, self._specs)
        stds = starts.stds(values, relative_std)
        for mean, log_variance, value, std in zip(
            self._means, self._log_variances, values, stds, strict=True
        ):
            mean.assign(value)
            log_variance.assign(tf.fill(log_variance.shape, 2 * math.log(std)))

    def count_parameters(self, specs):
        """Counts two for each weight."""
        return 2 * sum(spec.size for spec in specs)

    def sample(self, num_samples, key, position=0, first=0):
        """Draws weights; see `Posterior.sample`."""
        self.check_built()
        size = sum(spec.size for spec in self._specs)
        noise = weights.unflatten(
            randomness.normal(
                randomness.fold(key, position), num_samples, (size,), first
            ),
            [spec.shape for spec in self._specs],
        )
        # As tensors: Keras' variables would be added as biases are, which
        # drops an axis of size 1.
        means, log_variances = (
            [tf.convert_to_tensor(variable) for variable in variables]
            for variables in (self._means, self._log_variances)
        )
        samples = [
            mean + tf.exp(0.5 * log_variance) * epsilon
            for mean, log_variance, epsilon in zip(means, log_variances, noise)
        ]
        log_prob = tf.add_n(
            [
                normal.log_prob(tf.square(epsilon), log_variance)
                for log_variance, epsilon in zip(log_variances, noise)
            ]
        )
        return samples, log_prob

    def entropy(self):
        """Returns the entropy of q, a scalar in nats."""
        return tf.add_n([normal.entropy(x) for x in self._log_variances])

    def distributions(self):
        """Returns one `tfp.distributions.Normal` for each weight tensor."""
        self.check_built()
        import tensorflow_probability as tfp

        return [
            tfp.distributions.Normal(
                tf.convert_to_tensor(mean),
                tf.exp(0.5 * tf.convert_to_tensor(log_variance)),
            )
            for mean, log_variance in zip(self._means, self._log_variances)
        ]

    def parameter_report(self):
        """Lists means and log-variances; see `Posterior.parameter_report`."""
        return [
            (f"mean and log-variance of {spec.name}", spec.size, 2 * spec.size)
            for spec in self._specs
        ]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "initial_log_variance": self.initial_log_variance,
            "mean_initializer": keras.initializers.serialize(
                self.mean_initializer
            ),
            "kernels_only": self.kernels_only,
        }

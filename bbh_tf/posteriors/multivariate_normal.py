"""The normal posterior in which all weights depend on each other."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import memory
from bbh_tf import normal
from bbh_tf import randomness
from bbh_tf import weights
from bbh_tf.posteriors import posterior
from bbh_tf.posteriors import starts


@keras.saving.register_keras_serializable(package="bbh_tf.posteriors")
class MultivariateNormal(posterior.Posterior):
    """N(mean, L L^T) over all weights of a layer, as one vector.

    A draw is `mean + L noise` with `L` lower triangular and its diagonal
    positive. For D weights that is D^2 + 2 D numbers, so it is for small
    layers, above all the last one: `bbh_tf.models.laplace` fits it to a trained
    network. It can also be trained, with `MonteCarloKL`.

    Args:
        initial_log_variance: log-variance that all weights start with,
            independent of each other; as in `MeanField`.
        mean_initializer: initialiser of the means; as in `MeanField`.
        name: name of the layer.

    Raises:
        ValueError: if `initial_log_variance` is not a finite number.

    References:
        Barber and Bishop, Ensemble Learning in Bayesian Neural Networks,
        1998 (a full covariance in variational inference).
    """

    has_log_prob = True
    has_density = True

    def __init__(
        self, initial_log_variance=-9.0, mean_initializer=None, name=None
    ):
        super().__init__(name=name)
        self.initial_log_variance = posterior.log_variance(
            "MultivariateNormal", initial_log_variance
        )
        self.mean_initializer = keras.initializers.get(mean_initializer)

    def build(self, specs):
        """Makes the means and the factor of the covariance.

        Args:
            specs: list of `bbh_tf.weights.WeightSpec`.

        Raises:
            MemoryError: if the factor does not fit in memory.
        """
        size = sum(spec.size for spec in specs)
        memory.require(
            4 * self.count_parameters(specs),
            f"the covariance of {size:,} weights under MultivariateNormal; "
            "MeanField has one variance for each.",
        )
        self._specs = list(specs)
        self._means = [
            self._add(
                f"{spec.name}_mean",
                spec.shape,
                posterior.mean_initializer(self.mean_initializer, index, spec),
            )
            for index, spec in enumerate(specs)
        ]
        self._log_scale = self._add(
            "log_scale",
            (size,),
            keras.initializers.Constant(0.5 * self.initial_log_variance),
        )
        # Of it, what is below the diagonal counts.
        self._below = self._add("below", (size, size), "zeros")

    def _add(self, name, shape, initializer):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            dtype="float32",
            autocast=False,
        )

    def assign(self, means, scale_tril):
        """Makes q the normal distribution of these parameters.

        Args:
            means: list of arrays, one for each weight tensor.
            scale_tril: array `(D, D)`, the Cholesky factor of the covariance
                of all D weights: those of the first tensor in row-major
                order, then the next.

        Raises:
            ValueError: if it has no parameters yet, or the factor is not
                lower triangular with a positive diagonal.
        """
        self.check_built()
        scale_tril = np.asarray(scale_tril)
        size = self._log_scale.shape[0]
        if scale_tril.shape != (size, size) or not (
            np.all(np.diagonal(scale_tril) > 0)
            and np.array_equal(scale_tril, np.tril(scale_tril))
        ):
            raise ValueError(
                "MultivariateNormal expects a lower triangular factor of shape "
                f"({size}, {size}) with a positive diagonal; got one of shape "
                f"{scale_tril.shape} that is none."
            )
        for variable, mean in zip(self._means, means, strict=True):
            variable.assign(mean)
        self._log_scale.assign(np.log(np.diagonal(scale_tril)))
        self._below.assign(np.tril(scale_tril, -1))

    def start_at(self, values, relative_std):
        """Puts means and variances around weights; see `Posterior.start_at`.

        Weights start independent of each other, those of a tensor with one
        variance: `initial_log_variance` does not count.
        """
        self.check_built()
        values = starts.arrays(values, self._specs)
        stds = starts.stds(values, relative_std)
        for mean, value in zip(self._means, values, strict=True):
            mean.assign(value)
        self._log_scale.assign(
            np.repeat(np.log(stds), [spec.size for spec in self._specs])
        )
        self._below.assign(tf.zeros_like(self._below))

    def count_parameters(self, specs):
        """Counts D^2 + 2 D for D weights."""
        size = sum(spec.size for spec in specs)
        return size**2 + 2 * size

    def mean(self):
        """Returns the mean of q, a `float32` tensor for each weight tensor."""
        self.check_built()
        return [tf.convert_to_tensor(mean) for mean in self._means]

    def scale_tril(self):
        """Returns the Cholesky factor of the covariance, `float32` `(D, D)`."""
        self.check_built()
        below = tf.linalg.band_part(tf.convert_to_tensor(self._below), -1, 0)
        return tf.linalg.set_diag(below, tf.exp(self._log_scale))

    def sample(self, num_samples, key, position=0, first=0):
        """Draws weights; see `Posterior.sample`."""
        means = self.mean()
        noise = randomness.normal(
            randomness.fold(key, position),
            num_samples,
            (self._log_scale.shape[0],),
            first,
        )
        deviations = weights.unflatten(
            tf.linalg.matmul(noise, self.scale_tril(), transpose_b=True),
            [spec.shape for spec in self._specs],
        )
        samples = [mean + part for mean, part in zip(means, deviations)]
        log_prob = normal.log_prob(tf.square(noise))
        return samples, log_prob - tf.reduce_sum(self._log_scale)

    def log_prob(self, samples):
        """Computes log-densities; see `Posterior.log_prob`."""
        deviations = weights.flatten(
            [x - mean for x, mean in zip(samples, self.mean(), strict=True)]
        )
        noise = tf.linalg.triangular_solve(
            self.scale_tril(), tf.transpose(deviations)
        )
        log_prob = normal.log_prob(tf.transpose(tf.square(noise)))
        return log_prob - tf.reduce_sum(self._log_scale)

    def entropy(self):
        """Returns the entropy of q, a scalar in nats."""
        self.check_built()
        return normal.entropy(2.0 * self._log_scale)

    def parameter_report(self):
        """Lists means and covariance; see `Posterior.parameter_report`."""
        size = sum(spec.size for spec in self._specs)
        names = " and ".join(spec.name for spec in self._specs)
        count = self.count_parameters(self._specs)
        return [(f"mean and covariance of {names}", size, count)]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "initial_log_variance": self.initial_log_variance,
            "mean_initializer": keras.initializers.serialize(
                self.mean_initializer
            ),
        }

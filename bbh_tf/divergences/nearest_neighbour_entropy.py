"""KL from a nearest-neighbour entropy and the prior's own density."""

import math

import keras
import tensorflow as tf

from bbh_tf import weights
from bbh_tf.divergences import divergence
from bbh_tf.divergences import nearest_neighbours
from bbh_tf.divergences import samples


@keras.saving.register_keras_serializable(package="bbh_tf.divergences")
class NearestNeighbourEntropy(divergence.Divergence):
    """Estimates KL(q || p) = -H(q) - E_q[log p(w)], weight by weight.

    The entropy H of each weight is the Kozachenko-Leonenko estimate from n
    posterior samples `q_i`,

        H = 1 + 1/2 + ... + 1/(n - 1) + log(2)
            + 1/n * sum_i log(min_{j != i} |q_i - q_j|),

    and the second term is the mean of the prior's exact log-density over the
    same samples. Beside `KernelKL` it needs no prior samples, whose noise it
    does not have; it needs a prior with a density. An estimate may be
    negative. Summed over the weights, as if they were independent: what they
    know of each other is not charged for.

    Example:

    ```python
    kl = bbh_tf.divergences.NearestNeighbourEntropy()
    kl([tf.random.normal((5, 800, 500))], [tfd.Normal(0.0, 1.0)])
    ```

    References:
        Kozachenko and Leonenko, Sample Estimate of the Entropy of a Random
        Vector, Problems of Information Transmission 23 (1987). The
        combination is of this library, not of the paper.
    """

    prior_form = "distributions"
    min_posterior_samples = 2

    def __call__(self, posterior, prior):
        """Estimates the divergence.

        Args:
            posterior: samples of q: a tensor of shape `(n, *shape)`, n >= 2,
                or a list of such tensors, one for each weight tensor.
            prior: `tfp.distributions.Distribution` of one weight, or of a
                tensor of them; or a list of such, one for each tensor.

        Returns:
            Scalar `float32` tensor, nats, for all weights together.

        Raises:
            ValueError: if the lists or numbers of samples do not fit.
        """
        posterior = samples.as_samples(posterior)
        if not isinstance(prior, (list, tuple)):
            prior = [prior]
        _check(posterior, prior)
        log_prior = tf.add_n(
            [
                tf.reduce_sum(tf.cast(p.log_prob(x), tf.float32))
                for x, p in zip(posterior, prior)
            ]
        )
        flat = weights.flatten(posterior)
        return -_entropy(flat) - log_prior / flat.shape[0]


@tf.custom_gradient
def _entropy(points):
    value, gradient = _entropy_with_gradient(tf.stop_gradient(points))
    return value, lambda upstream: upstream * gradient


@tf.function(jit_compile=True, autograph=False)
def _entropy_with_gradient(points):
    n, num_weights = points.shape
    with tf.GradientTape() as tape:
        tape.watch(points)
        squared = nearest_neighbours.by_weight(points, points, is_same=True)
        logs = nearest_neighbours.log_distance(squared)
        constant = math.log(2.0) + sum(1.0 / k for k in range(1, n))
        value = tf.reduce_sum(logs) / n + num_weights * constant
    return value, tape.gradient(value, points)


def _check(posterior, prior):
    if not posterior or len(posterior) != len(prior):
        raise ValueError(
            "NearestNeighbourEntropy expects as many priors as posterior "
            f"tensors, at least one; got {len(prior)} and {len(posterior)}."
        )
    samples.check("NearestNeighbourEntropy", posterior, "posterior", 2)
    for x, p in zip(posterior, prior):
        batch = p.batch_shape
        if (
            p.event_shape.rank
            or tf.broadcast_static_shape(batch, x.shape[1:]) != x.shape[1:]
        ):
            raise ValueError(
                "NearestNeighbourEntropy expects the prior of each weight, of "
                f"a shape that broadcasts to {tuple(x.shape[1:])}; got batch "
                f"shape {tuple(batch)} and event shape {tuple(p.event_shape)}."
            )

"""The closed form, where posterior and prior both have one."""

import keras
import tensorflow as tf

from bbh_tf.divergences import alternatives
from bbh_tf.divergences import divergence
from bbh_tf.divergences import pair as pairing


@keras.saving.register_keras_serializable(package="bbh_tf.divergences")
class AnalyticKL(divergence.Divergence):
    """Sums `tfp.distributions.kl_divergence` over all weights.

    It needs distributions of independent weights on both sides: a `MeanField`
    posterior and a prior for which TFP knows the KL. An implicit posterior has
    none; for posteriors and priors in which weights depend on each other, such
    as `MultivariateNormal` and `KernelNormal`, there is `MonteCarloKL`.

    Example:

    ```python
    bbh_tf.divergences.AnalyticKL()(
        [tfd.Normal(tf.zeros(3), 1.0)], [tfd.Normal(0.0, 1.0)]
    )  # 0.0
    ```

    References:
        Blundell et al., Weight Uncertainty in Neural Networks,
        arXiv:1505.05424.
    """

    def num_draws(self, num_samples):
        """Returns 0: a closed form looks at no draws."""
        del num_samples
        return 0

    def check(self, pairs):
        """Refuses what has no density, or no known KL.

        Raises:
            ValueError: naming the layer, and what would do.
        """
        for pair in pairs:
            posterior = pair.posterior.distributions()
            prior = pair.prior.distributions(pair.specs)
            for side, found in (("posterior", posterior), ("prior", prior)):
                if found is None:
                    _refuse(pair, side)
            for q, p in zip(posterior, prior):
                _check_known(pair, q, p)

    def estimate(self, pairs, num_prior_samples, key):
        """Adds up the closed forms of all layers."""
        del num_prior_samples, key
        posterior = [
            q for pair in pairs for q in pair.posterior.distributions()
        ]
        return self(posterior, pairing.distributions_of(pairs))

    def __call__(self, posterior, prior):
        """Computes the divergence.

        Args:
            posterior: list of `tfp.distributions.Distribution`, each with the
                shape of a weight tensor as its batch shape; or one alone.
            prior: list of distributions whose batch shapes broadcast to
                theirs, `()` say; or one alone.

        Returns:
            Scalar `float32` tensor, nats.

        Raises:
            ValueError: if the lists differ in length or are empty, or a prior
                has a larger shape than its posterior.
            NotImplementedError: if TFP knows no KL for a pair.
        """
        if not isinstance(posterior, (list, tuple)):
            posterior = [posterior]
        if not isinstance(prior, (list, tuple)):
            prior = [prior]
        if not posterior or len(posterior) != len(prior):
            raise ValueError(
                "AnalyticKL expects as many prior as posterior "
                f"distributions, at least one; got {len(posterior)} and "
                f"{len(prior)}."
            )
        total = 0.0
        for q, p in zip(posterior, prior):
            kl = q.kl_divergence(p)
            if kl.shape != q.batch_shape:
                raise ValueError(
                    "AnalyticKL expects priors that broadcast to the "
                    f"posterior's shape {tuple(q.batch_shape)}; got shape "
                    f"{tuple(p.batch_shape)}."
                )
            total += tf.cast(tf.reduce_sum(kl), tf.float32)
        return total


def _refuse(pair, side):
    """Refuses what has no distributions, though it may have a density."""
    if side == "posterior":
        has_density, such = pair.posterior.has_log_prob, "MeanField"
    else:
        has_density, such = pair.prior.has_log_prob(pair.specs), "Normal"
    name = type(getattr(pair, side)).__name__
    if has_density:
        raise ValueError(
            f"AnalyticKL needs a {side} of independent weights, such as "
            f"{such}; layer {pair.name!r} has {name}. "
            f"{alternatives.of(pair)}"
        )
    raise ValueError(
        f"AnalyticKL needs a {side} with a density; layer {pair.name!r} has "
        f"{name}, which has none. {alternatives.of(pair)}"
    )


def _check_known(pair, q, p):
    if q.dtype != p.dtype:
        raise ValueError(
            f"AnalyticKL expects a prior of {q.dtype.name}, as the posterior; "
            f"layer {pair.name!r} has a {type(p).__name__} of {p.dtype.name}."
        )
    if not alternatives.is_known(q, p):
        raise ValueError(
            "AnalyticKL needs a posterior and a prior whose KL TensorFlow "
            f"Probability knows; layer {pair.name!r} has {type(q).__name__} "
            f"and {type(p).__name__}. {alternatives.of(pair)}"
        )

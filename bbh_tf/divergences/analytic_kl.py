"""The closed form, where posterior and prior both have one."""

import keras
import tensorflow as tf

from bbh_tf.divergences import divergence


@keras.saving.register_keras_serializable(package="bbh_tf.divergences")
class AnalyticKL(divergence.Divergence):
    """Sums `tfp.distributions.kl_divergence` over all weights.

    It needs distributions on both sides: a `MeanField` posterior and a prior
    with a density for which TFP knows the KL. An implicit posterior has none.

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

    posterior_form = "distributions"
    prior_form = "distributions"

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

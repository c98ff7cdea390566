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
                shape of a weight tensor as its batch shape.
            prior: list of distributions that broadcast against them.

        Returns:
            Scalar `float32` tensor, nats.

        Raises:
            ValueError: if the lists differ in length or are empty.
        """
        if not posterior or len(posterior) != len(prior):
            raise ValueError(
                "AnalyticKL expects as many prior as posterior "
                f"distributions, at least one; got {len(posterior)} and "
                f"{len(prior)}."
            )
        return tf.add_n(
            [
                tf.reduce_sum(q.kl_divergence(p))
                for q, p in zip(posterior, prior)
            ]
        )

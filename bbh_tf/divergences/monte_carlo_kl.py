"""The KL as a mean over draws whose density is known."""

import keras
import tensorflow as tf

from bbh_tf import randomness
from bbh_tf.divergences import alternatives
from bbh_tf.divergences import divergence
from bbh_tf.divergences import pair as pairing


@keras.saving.register_keras_serializable(package="bbh_tf.divergences")
class MonteCarloKL(divergence.Divergence):
    """Estimates KL(q || p) = E_q[log q(w) - log p(w)] from draws of q.

    The first term is minus the posterior's entropy, if that has a closed form
    (`Posterior.entropy`), else the mean of its log-density over the draws; the
    second is the mean of the prior's log-density. The estimate and its
    gradient are unbiased. If the prior's `log_prob` is a lower bound, they are
    those of an upper bound on the KL. One draw is enough.

    Example:

    ```python
    bbh_tf.models.BayesianModel(
        bbh_tf.models.bayesify(
            network,
            bbh_tf.posteriors.MeanField(),
            prior=tfp.distributions.Laplace(0.0, 1.0),
        ),
        num_train_examples=60_000,
        divergence=bbh_tf.divergences.MonteCarloKL(),
        num_samples=1,
    )
    ```

    References:
        Blundell et al., Weight Uncertainty in Neural Networks,
        arXiv:1505.05424, Eq. 2; Krueger et al., Bayesian Hypernetworks,
        arXiv:1710.04759; Atanov et al., The Deep Weight Prior,
        arXiv:1810.06943, Eq. 7 (with a bound).
    """

    def num_draws(self, num_samples):
        """Returns `num_samples`, at least 1."""
        self._check_at_least("num_samples", 1, num_samples)
        return num_samples

    def check(self, pairs):
        """Refuses a posterior or a prior without a density.

        Raises:
            ValueError: naming the layer, and what would do.
        """
        for pair in pairs:
            for side, has_density in (
                ("posterior", pair.posterior.has_log_prob),
                ("prior", pair.prior.has_log_prob(pair.specs)),
            ):
                if not has_density:
                    name = type(getattr(pair, side)).__name__
                    raise ValueError(
                        f"MonteCarloKL needs a {side} with a density; layer "
                        f"{pair.name!r} has {name}, which has none. "
                        f"{alternatives.of(pair)}"
                    )

    def is_upper_bound(self, pairs):
        """Whether a prior has a bound in the place of its log-density."""
        return any(pair.prior.is_bound for pair in pairs)

    def estimate(self, pairs, num_prior_samples, key):
        """Averages log q - log p over the draws."""
        del num_prior_samples
        kl = tf.constant(0.0)
        for pair in pairs:
            entropy = pair.posterior.entropy()
            kl += (
                tf.reduce_mean(pair.draw.log_prob)
                if entropy is None
                else -entropy
            )
        for position, group in enumerate(pairing.by_prior(pairs)):
            log_prior = group[0].prior.log_prob(
                pairing.samples_of(group),
                [spec for pair in group for spec in pair.specs],
                randomness.fold(key, position),
            )
            kl -= tf.reduce_mean(tf.cast(log_prior, tf.float32))
        return kl

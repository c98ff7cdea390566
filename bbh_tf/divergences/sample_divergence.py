"""What divergences have in common that compare samples with samples."""

from bbh_tf.divergences import alternatives
from bbh_tf.divergences import divergence
from bbh_tf.divergences import pair as pairing


class SampleDivergence(divergence.Divergence):
    """Base of estimates from samples of the posterior and of the prior.

    A subclass is called with both: neither needs a density.

    Attributes:
        min_posterior_samples: fewest samples of q that will do.
        min_prior_samples: fewest samples of p that will do.
    """

    min_posterior_samples = 1
    min_prior_samples = 1

    def num_draws(self, num_samples):
        """Returns `num_samples`, if enough; see `Divergence.num_draws`."""
        self._check_at_least(
            "num_samples", self.min_posterior_samples, num_samples
        )
        return num_samples

    def num_prior_draws(self, num_samples, given=None):
        """Returns what is asked for; see `Divergence.num_prior_draws`."""
        if given is None:
            return num_samples
        self._check_at_least("num_prior_samples", self.min_prior_samples, given)
        return given

    def check(self, pairs):
        """Refuses a prior that cannot be sampled, or trains by its density.

        Raises:
            ValueError: naming the layer, and what would do.
        """
        for pair in pairs:
            if not pair.prior.can_be_sampled():
                raise ValueError(
                    f"{type(self).__name__} needs a prior that can be sampled; "
                    f"layer {pair.name!r} has {type(pair.prior).__name__}, "
                    f"which cannot. {alternatives.of(pair)}"
                )
            if pair.prior.trains_with_density():
                raise ValueError(
                    f"{type(self).__name__} compares samples, by which the "
                    f"{type(pair.prior).__name__} of layer {pair.name!r} does "
                    "not train; expected a prior that stays as it is, such as "
                    "autoencoder.as_prior(train_reverse=False)."
                )

    def estimate(self, pairs, num_prior_samples, key):
        """Compares the draws with new samples of the priors."""
        return self(
            pairing.samples_of(pairs),
            pairing.sample_priors(pairs, num_prior_samples, key),
        )

    def __call__(self, posterior, prior):
        """Estimates the divergence.

        Args:
            posterior: samples of q: list of tensors `(n, *shape)`, one for
                each weight tensor.
            prior: samples of p in the same form, `(m, *shape)`.

        Returns:
            Scalar `float32` tensor, nats, for all weights together.
        """
        raise NotImplementedError

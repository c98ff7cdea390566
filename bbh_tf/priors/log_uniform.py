"""The log-uniform prior, of which only the KL of a normal is known."""

import keras

from bbh_tf.priors import prior

_APPROXIMATIONS = ("molchanov", "kingma")


@keras.saving.register_keras_serializable(package="bbh_tf.priors")
class LogUniform(prior.Prior):
    """p(log |w|) constant, for each weight by itself.

    It is improper: it cannot be sampled, and the gradient of its log-density
    has no mean. There is only an approximate closed form, up to a constant, of
    the KL of a normal, a function of alpha = variance / mean^2 alone. So it
    works with `divergences.AnalyticKL` and `posteriors.MeanField`; everything
    else refuses it. The constant is such that the true KL is 0 at infinite
    alpha; so is the sigmoid's, but the cubic's stays at 0.39 nats from
    alpha = 1 on.

    Args:
        approximation: `"molchanov"`, a sigmoid fitted for all alpha; or
            `"kingma"`, a cubic for alpha <= 1, constant beyond, which the
            authors of the deep weight prior use.

    Raises:
        ValueError: if `approximation` is neither.

    References:
        Kingma et al., Variational Dropout and the Local Reparameterization
        Trick, arXiv:1506.02557, App. C; Molchanov et al., Variational Dropout
        Sparsifies Deep Neural Networks, arXiv:1701.05369, Eq. 14.
    """

    def __init__(self, approximation="molchanov"):
        if approximation not in _APPROXIMATIONS:
            raise ValueError(
                "LogUniform expects approximation to be one of "
                f"{', '.join(_APPROXIMATIONS)}; got {approximation!r}."
            )
        self.approximation = approximation

    def distributions(self, specs):
        """Returns distributions that know the KL of a normal, no more."""
        # It imports TensorFlow Probability, for which nobody else waits.
        from bbh_tf.priors import log_uniform_kl

        found = log_uniform_kl.LogUniformKL(self.approximation)
        return [found] * len(specs)

    def has_log_prob(self, specs):
        """False: an improper density serves no estimate."""
        del specs
        return False

    def log_prob(self, samples, specs, key):
        """Refuses; see the class."""
        raise ValueError(
            "LogUniform is improper and has no density that could be averaged "
            "over draws; AnalyticKL with MeanField has its closed form."
        )

    def get_config(self):
        """Returns the constructor's arguments."""
        return {"approximation": self.approximation}

"""The log-uniform prior, of which only the KL of a normal is known."""

import keras

from bbh_tf.priors import prior

_APPROXIMATIONS = ("molchanov", "kingma")


@keras.saving.register_keras_serializable(package="bbh_tf.priors")
class LogUniform(prior.Prior):
    """p(log |w|) constant, for each weight by itself.

    It is improper: nothing can be drawn from it, and its density 1 / |w| makes
    gradients that have no mean. What there is is a closed form of the KL of a
    normal, up to a constant and approximate, a function of alpha = variance /
    mean^2 alone; so it serves `divergences.AnalyticKL` with
    `posteriors.MeanField`, and all else refuses it by name. The constant is set
    so that the KL is 0 where alpha is infinite.

    Args:
        approximation: `"molchanov"`, a sigmoid fitted for all alpha; or
            `"kingma"`, a cubic for alpha <= 1, constant beyond, which the
            authors of the deep weight prior took.

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

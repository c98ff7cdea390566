"""What a divergence asks for and what it returns."""

from bbh_tf import checks
from bbh_tf import fixed


class Divergence(fixed.Fixed):
    """Base of all estimates of KL(q || p) over the weights of a network.

    A divergence sees all random layers of a network at once, a
    `divergences.Pair` for each, and returns a scalar in nats for the whole
    network. It knows nothing of batches, epochs or the number of training
    examples.

    Write one of your own as a subclass in one file: `estimate`, and `check`
    for what it cannot do. `SampleDivergence` is a base for those that compare
    samples with samples.

    Attributes:
        is_learned: whether it has state, made by `build` and trained by
            `fit_step`. Each model then makes a divergence of its own from
            the configuration.
    """

    is_learned = False

    def num_draws(self, num_samples):
        """Says how many draws of q an estimate is made from.

        Args:
            num_samples: how many the user asks for.

        Returns:
            An integer, 0 where none are looked at.

        Raises:
            ValueError: if that is too few.
        """
        return num_samples

    def num_prior_draws(self, num_samples, given=None):
        """Says how many samples of p an estimate is made from.

        Args:
            num_samples: number of draws of q.
            given: how many the user asks for, or None.

        Returns:
            An integer; it does not count where none are looked at.

        Raises:
            ValueError: if that is too few.
        """
        return num_samples if given is None else given

    def check(self, pairs):
        """Refuses posteriors and priors that the divergence cannot compare.

        A model calls it when it is made.

        Args:
            pairs: list of `Pair`, without draws.

        Raises:
            ValueError: naming the layer, and what would do.
        """
        del pairs

    def is_upper_bound(self, pairs):
        """Whether an estimate is one of an upper bound on the KL.

        Args:
            pairs: list of `Pair`, without draws.
        """
        del pairs
        return False

    def build(self):
        """Makes the state.

        Returns:
            The Keras layer that holds it, for a model to save; None for none.
        """
        return None

    def fit_step(self, estimate_of, key):
        """Learns from samples what the next estimate needs: here, nothing.

        Args:
            estimate_of: function from a divergence and a key to the value of
                that divergence for new samples of q and p.
            key: a key of `bbh_tf.randomness`.

        Returns:
            The divergence to use until the next such step: here, itself.
        """
        del estimate_of, key
        return self

    def estimate(self, pairs, num_prior_samples, key):
        """Estimates the divergence of all layers together.

        Args:
            pairs: list of `Pair`, with draws.
            num_prior_samples: number of samples of p, where they are wanted.
            key: a key of `bbh_tf.randomness`, for them.

        Returns:
            Scalar `float32` tensor, nats. It may be negative.
        """
        raise NotImplementedError

    def get_config(self):
        """Returns the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Makes a divergence from `get_config`'s dictionary."""
        return cls(**config)

    def _check_at_least(self, argument, fewest, given):
        checks.check_count(argument, given)
        if given < fewest:
            raise ValueError(
                f"{type(self).__name__} needs {argument} to be at least "
                f"{fewest}; got {given}."
            )

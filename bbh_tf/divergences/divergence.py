"""What a divergence asks for and what it returns."""


class Divergence:
    """Base of all estimates of KL(q || p) over the weights of a network.

    A divergence is called with two lists, one entry for each weight tensor,
    and returns a scalar in nats for the whole network. It knows nothing of
    batches, epochs or the number of training examples.

    Attributes:
        posterior_form: `"samples"` if the first list holds tensors of shape
            `(num_samples, *shape)`; `"distributions"` if it holds
            `tfp.distributions.Distribution` objects.
        prior_form: the same for the second list.
        min_posterior_samples: fewest posterior samples that will do.
        min_prior_samples: fewest prior samples that will do, where it takes
            any.
        default_prior_samples: how many there are at least where the user does
            not say.
        is_learned: whether it has state, made by `build` and trained by
            `fit_step`. Each model then makes a divergence of its own from
            the configuration.
    """

    posterior_form = "samples"
    prior_form = "samples"
    min_posterior_samples = 1
    min_prior_samples = 1
    default_prior_samples = 1
    is_learned = False

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

    def __call__(self, posterior, prior):
        """Returns the divergence in nats, a scalar `float32` tensor."""
        raise NotImplementedError

    def get_config(self):
        """Returns the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Makes a divergence from `get_config`'s dictionary."""
        return cls(**config)

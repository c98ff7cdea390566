"""What all priors over weights have in common."""

import keras

from bbh_tf import checks
from bbh_tf import fixed
from bbh_tf.priors import densities


class Prior(fixed.Fixed):
    """Distribution p over the random variables of a posterior.

    Write your own as a subclass in one file. `sample` is enough for
    divergences that compare samples; those that need a density use
    `distributions` or `log_prob`. A prior that has variables must also be a
    Keras layer, `class Mine(bbh_tf.priors.Prior, keras.layers.Layer)`; it is
    then saved with the layer whose prior it is.

    In all methods, `specs` are `bbh_tf.weights.WeightSpec`: of the weights, or
    of whatever else the posterior is over (`Posterior.random_specs`: scales of
    weights, say). They may be those of several layers at once.

    Attributes:
        is_bound: whether `log_prob` is a lower bound on the log-density. A KL
            that is estimated with it is an upper bound then.
    """

    is_bound = False

    def for_layer(self, specs):
        """Returns the prior that a layer with these specs is to have.

        A layer calls it once, when it is built. By default, a prior without
        variables returns itself. One that is a Keras layer returns a copy with
        the same values, built with `build(specs)` if the constructor does not
        build it; frozen variables stay frozen.

        Args:
            specs: list of `WeightSpec` of one layer.

        Returns:
            A `Prior`.
        """
        if not isinstance(self, keras.layers.Layer):
            return self
        checks.check_config(self)
        copy = type(self).from_config(self.get_config())
        if not copy.built:
            copy.build(specs)
        if self.built:
            for old, new in zip(self.variables, copy.variables, strict=True):
                new.assign(old)
                if not old.trainable:
                    new.trainable = False
        if not self.trainable:
            copy.trainable = False
        return copy

    def fit_step(self, posterior, samples, specs):
        """Learns from a training step's draws: here, nothing.

        Called before the KL is estimated, for a prior that follows the
        posterior otherwise than by gradients.

        Args:
            posterior: the layer's `bbh_tf.posteriors.Posterior`.
            samples: list of its draws, `float32` tensors `(num_samples,
                *shape)`; empty where training draws no weights.
            specs: list of their `WeightSpec`.
        """
        del posterior, samples, specs

    def sharing_key(self):
        """Says with which other priors this one is sampled in one call.

        Returns:
            A hashable value: priors of equal ones are the same distribution.
            Here, one that no other prior has.
        """
        return id(self)

    def sample(self, num_samples, specs, key):
        """Draws samples.

        Args:
            num_samples: number of samples, a Python integer.
            specs: list of `WeightSpec`.
            key: a key of `bbh_tf.randomness`.

        Returns:
            List of `float32` tensors `(num_samples, *shape)`, one for each
            spec.

        Raises:
            ValueError: if the prior cannot be sampled. Here, always.
        """
        del num_samples, specs, key
        raise ValueError(f"{type(self).__name__} cannot be sampled.")

    def can_be_sampled(self):
        """Whether `sample` is available."""
        return type(self).sample is not Prior.sample

    def trains_with_density(self):
        """Whether it has parts that train, and `log_prob` alone uses.

        A divergence that compares samples would leave them as they are, and
        refuses such a prior. Here, False.
        """
        return False

    def distributions(self, specs):
        """Returns p as distributions, one for each spec.

        Args:
            specs: list of `WeightSpec`.

        Returns:
            List of `tfp.distributions.Distribution` whose batch shapes
            broadcast to the specs' shapes, the same object for all specs that
            have the same; None where there are none. Here, None.
        """
        del specs
        return None

    def has_log_prob(self, specs):
        """Whether `log_prob` can be called for such specs."""
        is_own = type(self).log_prob is not Prior.log_prob
        return is_own or self.distributions(specs) is not None

    def log_prob(self, samples, specs, key):
        """Computes the log-density of samples, or a lower bound on it.

        Args:
            samples: list of `float32` tensors `(num_samples, *shape)`.
            specs: list of their `WeightSpec`.
            key: a key of `bbh_tf.randomness`, for a bound that is estimated.

        Returns:
            `float32` tensor `(num_samples,)`, nats, all specs together. Here,
            what `distributions` say.

        Raises:
            ValueError: if there is no density.
        """
        del key
        distributions = self.distributions(specs)
        if distributions is None:
            raise ValueError(f"{type(self).__name__} has no density.")
        return densities.log_prob(distributions, samples)

    def get_build_config(self):
        """Returns None: the layer whose prior this is builds it."""
        return None

    def get_config(self):
        """Returns the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Makes a prior from `get_config`'s dictionary."""
        return cls(**config)

"""What all posteriors over weights have in common."""

import keras

from bbh_tf import checkpointing
from bbh_tf import checks
from bbh_tf import fixed
from bbh_tf import layer_draw
from bbh_tf import weights
from bbh_tf.priors import densities


class Posterior(fixed.Fixed, checkpointing.Checkpointed, keras.layers.Layer):
    """Distribution q over the weights of one layer, with its parameters.

    A posterior given to a layer is a recipe: the layer makes its own from the
    configuration, so one object may be given to many layers.

    Write your own as a subclass in one file. It makes its parameters in
    `build(specs)` and samples the random variables in `sample`. If these are
    not the weights themselves but, for example, scales of weights, it also
    describes them in `random_specs` and turns them into weights in
    `weights_of`.
    Parameters and samples are float32 under any dtype policy.

    Args:
        name: name of the layer.

    Attributes:
        has_log_prob: whether `sample` returns the log-density of what it
            draws. Divergences that need one refuse others.
    """

    has_log_prob = False

    def __init__(self, name=None):
        super().__init__(name=name, dtype="float32")

    def replaces(self, spec):
        """Whether the posterior takes a variable of the layer.

        What it does not take stays a point estimate, which is trained.

        Args:
            spec: `bbh_tf.weights.WeightSpec` of the variable.

        Returns:
            A bool. Here, True.
        """
        del spec
        return True

    def random_specs(self, specs):
        """Describes the random variables, what `sample` returns.

        Args:
            specs: list of `WeightSpec` of the weights that are replaced.

        Returns:
            List of `WeightSpec`. Here, those of the weights.
        """
        return list(specs)

    @property
    def is_over_weights(self):
        """Whether the random variables are the weights themselves."""
        return type(self).weights_of is Posterior.weights_of

    def build(self, specs):
        """Makes the parameters of q.

        Args:
            specs: list of `bbh_tf.weights.WeightSpec`, one for each weight
                tensor that is replaced.
        """
        raise NotImplementedError

    def count_parameters(self, specs):
        """Counts the parameters that `build(specs)` would make.

        Args:
            specs: list of `bbh_tf.weights.WeightSpec`.

        Returns:
            An integer.
        """
        raise NotImplementedError

    def check_built(self):
        """Refuses to go on without parameters.

        Raises:
            ValueError: if `build(specs)` has not been called.
        """
        if not self.built:
            raise ValueError(
                f"{type(self).__name__} has no parameters yet: call "
                "build(specs) first."
            )

    def sample(self, num_samples, key, position=0, first=0):
        """Draws the random variables.

        Args:
            num_samples: number of samples, a Python integer.
            key: a key of `bbh_tf.randomness`.
            position: position of the layer in the network: layers of
                different positions draw independently.
            first: index of the first sample, an integer or scalar tensor.

        Returns:
            `(samples, log_prob)`: a list of `float32` tensors of shape
            `(num_samples, *shape)`, and their log-density under q, a tensor
            of shape `(num_samples,)` in nats, or None where it is unknown.
        """
        raise NotImplementedError

    def draw(self, num_samples, key, position=0, first=0):
        """Draws the random variables, and turns them into weights.

        Args: those of `sample`.

        Returns:
            A `LayerDraw`.
        """
        samples, log_prob = self.sample(num_samples, key, position, first)
        return layer_draw.LayerDraw(samples, log_prob, self.weights_of(samples))

    @property
    def has_density(self):
        """Whether `log_prob` is available. `AsPrior` uses it."""
        return self.distributions() is not None

    def log_prob(self, samples):
        """Computes the log-density of given values, where `has_density`.

        Args:
            samples: list of `float32` tensors `(num_samples, *shape)`, as
                `sample` returns them.

        Returns:
            `float32` tensor `(num_samples,)`, nats. Here, what
            `distributions` say.

        Raises:
            ValueError: if there is no density.
        """
        distributions = self.distributions()
        if distributions is None:
            name = type(self).__name__
            raise ValueError(f"{name} has no density of given values.")
        return densities.log_prob(distributions, samples)

    def entropy(self):
        """Returns the entropy of q, a scalar in nats; None if not known."""
        return None

    def start_at(self, values, relative_std):
        """Makes q a narrow distribution around given weights.

        Args:
            values: list of arrays, one for each weight tensor.
            relative_std: standard deviation of a weight, in units of its
                tensor's root mean square; of that of all tensors where one
                holds zeros only.

        Raises:
            ValueError: if this posterior cannot, or has no parameters yet, or
                the arrays are not finite ones of the tensors' shapes.
        """
        del values, relative_std
        raise ValueError(
            f"{type(self).__name__} cannot start at given weights; MeanField "
            "and Implicit can."
        )

    def weights_of(self, samples):
        """Turns random variables into weights.

        Args:
            samples: list of tensors, as `sample` returns them.

        Returns:
            List of `float32` tensors of shape `(num_samples, *shape)`, in
            the order of `specs`. Here, the samples themselves.
        """
        return samples

    def distributions(self):
        """Returns q as distributions, one for each random variable.

        Returns:
            List of `tfp.distributions.Distribution`, whose batch shapes are
            those of `random_specs`; None where q is no product of such.
        """
        return None

    def parameter_report(self):
        """Describes the parameters.

        Returns:
            List of `(what, weights, parameters)`: a text and two integers
            for each part of the posterior.
        """
        raise NotImplementedError

    def __call__(self, *args, **kwargs):
        """Refuses: a posterior is no layer of a network."""
        raise TypeError(
            f"{type(self).__name__} is a posterior, not a layer of a network: "
            "give it to bbh_tf.layers.Bayesian or bbh_tf.models.bayesify."
        )

    def get_config(self):
        """Returns the constructor's arguments."""
        return {}

    def get_build_config(self):
        """Returns None: the layer that owns a posterior builds it."""
        return None


def mean_initializer(initializer, index, spec):
    """Returns the initialiser of what a tensor's weights start around.

    Args:
        initializer: a Keras initialiser, or None for a truncated normal of
            variance 1 / fan-in, see `weights.fan_in_initializer`.
        index: which of the tensors it is for, an integer.
        spec: the `WeightSpec` of the tensor.
    """
    if initializer is None:
        return weights.fan_in_initializer(spec)
    return weights.fresh_initializer(initializer, index)


def log_variance(kind, value):
    """Returns an initial log-variance as a float.

    Args:
        kind: name of the posterior, for the message.
        value: what was given.

    Raises:
        ValueError: if it is not a finite number.
    """
    if not checks.is_number(value):
        raise ValueError(
            f"{kind} expects a finite initial_log_variance; got {value!r}."
        )
    return float(value)


def get(posterior):
    """Makes a fresh posterior from a recipe.

    Args:
        posterior: a `Posterior`, built or not, or its serialised form.

    Returns:
        A new, unbuilt posterior of the same configuration.

    Raises:
        ValueError: if it is neither, or has arguments that its configuration
            lacks.
    """
    if isinstance(posterior, dict):
        posterior = keras.saving.deserialize_keras_object(posterior)
    if not isinstance(posterior, Posterior):
        raise ValueError(
            "Expected a posterior, such as bbh_tf.posteriors.Implicit(); "
            f"got {posterior!r}."
        )
    checks.check_config(posterior)
    return type(posterior).from_config(posterior.get_config())

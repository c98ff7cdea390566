"""A trained posterior as the prior of another model."""

import keras
import tensorflow as tf

from bbh_tf import checkpointing
from bbh_tf import priors
from bbh_tf.posteriors import posterior as posteriors


@keras.saving.register_keras_serializable(package="bbh_tf.posteriors")
class AsPrior(priors.Prior, checkpointing.Checkpointed, keras.layers.Layer):
    """The posterior of one task as the prior of the next.

    It is a frozen copy of what the posterior is now: later training neither
    changes it nor the model that it comes from. The layer whose prior it
    becomes must have weights of the same shapes. It is saved with that layer.
    (A copy made from the configuration alone, as `keras.models.clone_model`
    makes it, has new parameters, here as everywhere in Keras.)

    Dependence between layers of the first model, through shared noise, is
    lost: each layer's prior is sampled by itself. One posterior for a whole
    network (`bayesify(scope="network")`) keeps it.

    Args:
        posterior: a built `Posterior`: `layer.posterior` of a trained
            `bbh_tf.layers.Bayesian`; or its serialised form, as loading gives
            it, whose parameters then come from the file.
        name: name of the layer.

    Raises:
        ValueError: if `posterior` is neither, has no parameters yet, or is
            not over weights: scales, say, mean other weights in another model.

    Example:

    ```python
    first = old_model.network.get_layer("fc1")
    bbh_tf.layers.Bayesian(
        keras.layers.Dense(500),
        bbh_tf.posteriors.Implicit(),
        prior=bbh_tf.posteriors.AsPrior(first.posterior),
    )
    ```

    References:
        Nguyen et al., Variational Continual Learning, arXiv:1710.10628.
    """

    def __init__(self, posterior, name=None):
        super().__init__(name=name, dtype="float32")
        # What the parameters are to be, until they are there.
        self._values = None
        if isinstance(posterior, posteriors.Posterior):
            posterior.check_built()
            self._values = _values_of(posterior)
        self.posterior = posteriors.get(posterior)
        if not self.posterior.is_over_weights:
            raise ValueError(
                "AsPrior expects a posterior over weights; got "
                f"{type(self.posterior).__name__}, whose random variables "
                "mean other weights in another model."
            )

    def for_layer(self, specs):
        """Returns a built copy; see `Prior.for_layer`.

        Raises:
            ValueError: if the posterior is one of other weights.
        """
        copy = AsPrior.from_config(self.get_config())
        copy._values = (
            _values_of(self.posterior) if self.posterior.built else self._values
        )
        copy.build(specs)
        return copy

    def build(self, specs):
        """Copies the parameters.

        Args:
            specs: list of `bbh_tf.weights.WeightSpec` of the layer whose
                prior this is.

        Raises:
            ValueError: if the posterior is one of other weights.
        """
        self.posterior.build(specs)
        for variable in self.posterior.variables:
            variable.trainable = False
        if self._values is None:
            return
        values, self._values = self._values, None
        found = [value.shape for value in values]
        wanted = [tuple(v.shape) for v in self.posterior.variables]
        if found != wanted:
            raise ValueError(
                "A posterior can be the prior of weights of the same shapes: "
                f"expected parameters {wanted} for "
                f"{', '.join(f'{s.name} {s.shape}' for s in specs)}; got "
                f"{found}."
            )
        for value, variable in zip(values, self.posterior.variables):
            variable.assign(value)

    @property
    def trainable(self):
        """False: a prior is what was known before."""
        return False

    @trainable.setter
    def trainable(self, value):
        del value

    def sample(self, num_samples, specs, key):
        """Draws samples; see `bbh_tf.priors.Prior.sample`.

        Raises:
            ValueError: if the specs are not those of `build`.
        """
        samples, _ = self.posterior.sample(num_samples, key)
        found = [tuple(x.shape[1:]) for x in samples]
        wanted = [spec.shape for spec in specs]
        if found != wanted:
            raise ValueError(
                f"AsPrior expects to be asked for weights {found}; got "
                f"{wanted}."
            )
        return samples

    def distributions(self, specs):
        """Returns one for each tensor; None where q is no product of such."""
        return self.posterior.distributions()

    def has_log_prob(self, specs):
        """Whether the posterior has a density."""
        return self.posterior.has_density

    def log_prob(self, samples, specs, key):
        """Computes log-densities; see `bbh_tf.priors.Prior.log_prob`."""
        return self.posterior.log_prob(samples)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "posterior": keras.saving.serialize_keras_object(self.posterior)
        }


def _values_of(posterior):
    """Copies the parameters, as a tuple: Keras would follow a list."""
    with tf.init_scope():
        return tuple(
            tf.convert_to_tensor(variable.value).numpy()
            for variable in posterior.variables
        )

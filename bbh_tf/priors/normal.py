"""The normal prior, independent over the weights."""

import keras

from bbh_tf import checks
from bbh_tf import randomness
from bbh_tf import weights
from bbh_tf.priors import prior


@keras.saving.register_keras_serializable(package="bbh_tf.priors")
class Normal(prior.Prior):
    """N(loc, scale^2) for each weight: the paper's prior at its defaults.

    Args:
        loc: mean.
        scale: standard deviation, positive.

    Raises:
        ValueError: if `loc` is not finite or `scale` not positive and finite.
    """

    def __init__(self, loc=0.0, scale=1.0):
        if not checks.is_number(loc):
            raise ValueError(f"Normal expects a finite loc; got {loc!r}.")
        if not checks.is_positive(scale):
            raise ValueError(
                f"Normal expects a positive, finite scale; got {scale!r}."
            )
        self.loc = float(loc)
        self.scale = float(scale)

    def sharing_key(self):
        """Returns what makes the distribution: class, mean and deviation."""
        return type(self), self.loc, self.scale

    def sample(self, num_samples, specs, key):
        """Draws samples; see `Prior.sample`."""
        size = sum(spec.size for spec in specs)
        flat = randomness.normal(key, num_samples, (size,))
        if self.scale != 1.0:
            flat *= self.scale
        if self.loc:
            flat += self.loc
        return weights.unflatten(flat, [spec.shape for spec in specs])

    def distributions(self, specs):
        """Returns one `tfp.distributions.Normal` for all specs."""
        import tensorflow_probability as tfp

        return [tfp.distributions.Normal(self.loc, self.scale)] * len(specs)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {"loc": self.loc, "scale": self.scale}

"""The normal prior, independent over the weights."""

import math
import numbers

import keras

from bbh_tf import randomness
from bbh_tf import weights


@keras.saving.register_keras_serializable(package="bbh_tf.priors")
class Normal:
    """N(loc, scale^2) for each weight: the paper's prior at its defaults.

    Args:
        loc: mean.
        scale: standard deviation, positive.

    Raises:
        ValueError: if `loc` is not finite or `scale` not positive and finite.
    """

    def __init__(self, loc=0.0, scale=1.0):
        if not isinstance(loc, numbers.Real) or not math.isfinite(loc):
            raise ValueError(f"Normal expects a finite loc; got {loc!r}.")
        if not isinstance(scale, numbers.Real) or not 0 < scale < math.inf:
            raise ValueError(
                f"Normal expects a positive, finite scale; got {scale!r}."
            )
        self.loc = float(loc)
        self.scale = float(scale)

    def sample(self, num_samples, shapes, seed):
        """Draws weights.

        Args:
            num_samples: number of samples.
            shapes: list of the weight tensors' shapes.
            seed: a key of `bbh_tf.randomness`.

        Returns:
            List of `float32` tensors of shape `(num_samples, *shape)`.
        """
        size = sum(math.prod(shape) for shape in shapes)
        flat = randomness.normal(seed, num_samples, (size,))
        if self.scale != 1.0:
            flat *= self.scale
        if self.loc:
            flat += self.loc
        return weights.unflatten(flat, shapes)

    @property
    def distribution(self):
        """The prior of one weight, a `tfp.distributions.Normal`."""
        import tensorflow_probability as tfp

        return tfp.distributions.Normal(self.loc, self.scale)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {"loc": self.loc, "scale": self.scale}

    @classmethod
    def from_config(cls, config):
        """Makes a prior from `get_config`'s dictionary."""
        return cls(**config)

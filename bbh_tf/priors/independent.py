"""Any scalar distribution of TensorFlow Probability as a prior."""

import math

import keras
import numpy as np

from bbh_tf import randomness
from bbh_tf import weights

_DISTRIBUTION = "tfp_distribution"


@keras.saving.register_keras_serializable(package="bbh_tf.priors")
class Independent:
    """Gives every weight the same scalar distribution, independently.

    Args:
        distribution: a `tfp.distributions.Distribution` with scalar batches
            and events: a Laplace, a mixture of normals.

    Raises:
        ValueError: if its batch or event shape is not `()`.

    Example:

    ```python
    tfd = tfp.distributions
    bbh_tf.layers.Bayesian(layer, posterior, prior=tfd.Laplace(0.0, 1.0))
    ```
    """

    def __init__(self, distribution):
        for name in ("batch_shape", "event_shape"):
            shape = tuple(getattr(distribution, name))
            if shape:
                raise ValueError(
                    "A prior expects a distribution over single weights, "
                    f"with {name} (); got {name} {shape} from {distribution}."
                )
        self.distribution = distribution
        self._sampler = randomness.compiled_sampler(
            lambda size, seed: distribution.sample(size, seed=seed)
        )

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
        flat = self._sampler(seed, num_samples, (size,))
        return weights.unflatten(flat, shapes)

    def get_config(self):
        """Returns the distribution's class and parameters.

        Raises:
            ValueError: if a parameter is neither a number, a text, an array
                nor a distribution.
        """
        return {"distribution": _serialize(self.distribution)}

    @classmethod
    def from_config(cls, config):
        """Makes a prior from `get_config`'s dictionary."""
        return cls(_deserialize(config["distribution"]))


def _serialize(value):
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_serialize(item) for item in value]
    if hasattr(value, "batch_shape") and hasattr(value, "parameters"):
        # A child made by TFP itself (a mixture's, say) lists no more than the
        # constructor's arguments, so these rebuild it.
        return {
            _DISTRIBUTION: type(value).__name__,
            "parameters": {
                name: _serialize(item)
                for name, item in value.parameters.items()
                if item is not None
            },
        }
    if hasattr(value, "numpy") or isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value).tolist()
    raise ValueError(
        "A prior can be saved if its parameters are numbers, texts, arrays "
        f"or distributions; got {value!r} of type {type(value).__name__}."
    )


def _deserialize(value):
    if isinstance(value, list):
        return [_deserialize(item) for item in value]
    if not isinstance(value, dict):
        return value
    import tensorflow_probability as tfp

    maker = getattr(tfp.distributions, value[_DISTRIBUTION])
    parameters = value["parameters"]
    return maker(**{k: _deserialize(v) for k, v in parameters.items()})

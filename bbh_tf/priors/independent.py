"""Any scalar distribution of TensorFlow Probability as a prior."""

import json

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import randomness
from bbh_tf import weights
from bbh_tf.priors import prior

_DISTRIBUTION = "tfp_distribution"
_DTYPE = "dtype"
_ARRAY = "array"
# Where a density is looked at, before training does.
_PLACES = (-100.0, -10.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 10.0, 100.0)


@keras.saving.register_keras_serializable(package="bbh_tf.priors")
class Independent(prior.Prior):
    """Gives every weight the same scalar distribution, independently.

    Args:
        distribution: a `tfp.distributions.Distribution` with scalar batches
            and events: a Laplace, a mixture of normals.

    Raises:
        ValueError: if its batch or event shape is not `()`, its type is no
            float, a parameter is a variable, or its density is not a number
            anywhere, as that of a negative scale.

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
        if not distribution.dtype.is_floating:
            raise ValueError(
                "A prior expects a distribution over numbers of a float type, "
                f"float32; got {distribution.dtype.name} from {distribution}."
            )
        for variable in _variables_of(distribution):
            raise ValueError(
                "A prior expects parameters that are constants: nobody would "
                f"train or save the variable {variable.name!r} of "
                f"{distribution}. Give its value, or write a "
                "bbh_tf.priors.Prior that is a keras.layers.Layer besides."
            )
        if _is_nowhere(distribution):
            raise ValueError(
                "A prior expects a distribution with a density; the log_prob "
                f"of {distribution} is NaN wherever it is looked at. Its "
                f"parameters: {dict(distribution.parameters)}."
            )
        self.distribution = distribution
        self._sampler = randomness.compiled_sampler(
            lambda size, seed: distribution.sample(size, seed=seed)
        )

    def sharing_key(self):
        """Returns what makes the distribution, where that can be written."""
        try:
            config = json.dumps(self.get_config(), sort_keys=True)
        except (TypeError, ValueError):
            # A distribution that cannot be saved can be sampled all the same.
            return id(self)
        return type(self), config

    def sample(self, num_samples, specs, key):
        """Draws samples; see `Prior.sample`."""
        size = sum(spec.size for spec in specs)
        flat = self._sampler(key, num_samples, (size,))
        return weights.unflatten(flat, [spec.shape for spec in specs])

    def distributions(self, specs):
        """Returns the distribution, the same for all specs."""
        return [self.distribution] * len(specs)

    def get_config(self):
        """Returns the distribution's class and parameters.

        Raises:
            ValueError: if the distribution is not one of
                `tfp.distributions`, or a parameter is neither a number, a
                text, a dtype, an array nor a distribution.
        """
        return {"distribution": _serialize(self.distribution)}

    @classmethod
    def from_config(cls, config):
        """Makes a prior from `get_config`'s dictionary."""
        return cls(_deserialize(config["distribution"]))


def _is_nowhere(distribution):
    """Whether a density is NaN at all places, and at draws of its own."""
    try:
        with tf.init_scope():
            places = tf.constant(_PLACES, distribution.dtype)
            own = distribution.sample(8, seed=(0, 1))
            found = distribution.log_prob(tf.concat([places, own], axis=0))
            return bool(np.isnan(found).all())
    # It may lack a density or draws, refuse places outside its support, or be
    # made within a program: what cannot be looked at is not refused.
    except Exception:
        return False


def _variables_of(distribution):
    found = list(distribution.variables)
    for leaf in keras.tree.flatten(dict(distribution.parameters)):
        if isinstance(leaf, keras.Variable):
            # Of which TensorFlow Probability does not know.
            found.append(leaf)
        elif hasattr(leaf, "batch_shape") and hasattr(leaf, "parameters"):
            found += _variables_of(leaf)
    return found


def _serialize(value):
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (list, tuple)):
        return [_serialize(item) for item in value]
    if hasattr(value, "batch_shape") and hasattr(value, "parameters"):
        # What TFP lists as parameters are the constructor's arguments.
        import tensorflow_probability as tfp

        name = type(value).__name__
        if getattr(tfp.distributions, name, None) is not type(value):
            raise ValueError(
                "A prior can be saved if its distribution is one of "
                f"tfp.distributions; got {value!r} of type {name}."
            )
        return {
            _DISTRIBUTION: name,
            "parameters": {
                argument: _serialize(item)
                for argument, item in value.parameters.items()
                if item is not None
            },
        }
    if isinstance(value, tf.DType):
        return {_DTYPE: value.name}
    if hasattr(value, "numpy") or isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        return {_ARRAY: array.tolist(), _DTYPE: array.dtype.name}
    raise ValueError(
        "A prior can be saved if its parameters are numbers, texts, dtypes, "
        "arrays or distributions; got "
        f"{value!r} of type {type(value).__name__}."
    )


def _deserialize(value):
    if isinstance(value, list):
        return [_deserialize(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _ARRAY in value:
        return np.array(value[_ARRAY], value[_DTYPE])
    if _DTYPE in value:
        return tf.as_dtype(value[_DTYPE])
    import tensorflow_probability as tfp

    maker = getattr(tfp.distributions, value[_DISTRIBUTION])
    parameters = value["parameters"]
    return maker(**{k: _deserialize(v) for k, v in parameters.items()})

"""One form for all that can serve as a prior."""

import inspect

import keras

from bbh_tf.priors import independent
from bbh_tf.priors import normal


def get(prior):
    """Turns what a user gives as a prior into a prior.

    Args:
        prior: None for the standard normal of the paper; a scalar
            `tfp.distributions.Distribution`; the serialised form of a prior;
            or any object whose `sample(num_samples, shapes, seed)` returns a
            list of tensors of shape `(num_samples, *shape)`.

    Returns:
        An object with `sample(num_samples, shapes, seed)`.

    Raises:
        ValueError: if `prior` is none of these.
    """
    if prior is None:
        return normal.Normal()
    if isinstance(prior, dict):
        prior = keras.saving.deserialize_keras_object(prior)
    has_sample = callable(getattr(prior, "sample", None))
    if has_sample and not isinstance(prior, type):
        if hasattr(prior, "batch_shape"):
            return independent.Independent(prior)
        if "shapes" in inspect.signature(prior.sample).parameters:
            return prior
    raise ValueError(
        "A prior is a tfp distribution, or an object with "
        f"sample(num_samples, shapes, seed); got {prior!r}."
    )

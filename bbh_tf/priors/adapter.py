"""One form for all that can serve as a prior."""

import keras

from bbh_tf.priors import independent
from bbh_tf.priors import normal
from bbh_tf.priors import prior as priors


def get(prior):
    """Turns an argument `prior` into a `Prior`.

    Args:
        prior: None for the standard normal of the paper; a scalar
            `tfp.distributions.Distribution`; a `Prior`; or its serialised
            form.

    Returns:
        A `Prior`.

    Raises:
        ValueError: if `prior` is none of these.
    """
    if prior is None:
        return normal.Normal()
    if isinstance(prior, dict):
        prior = keras.saving.deserialize_keras_object(prior)
    if isinstance(prior, priors.Prior):
        return prior
    if hasattr(prior, "batch_shape") and not isinstance(prior, type):
        return independent.Independent(prior)
    raise ValueError(
        "A prior is a tfp distribution, or a bbh_tf.priors.Prior, such as "
        f"bbh_tf.priors.Normal(); got {prior!r}."
    )

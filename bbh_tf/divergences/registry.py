"""Turning what a user gives into a divergence."""

import keras

from bbh_tf import checks
from bbh_tf.divergences import divergence
from bbh_tf.divergences import kernel_kl


def get(estimate):
    """Turns an argument `divergence` into a `Divergence`.

    Args:
        estimate: a `Divergence`, its serialised form, or None for `KernelKL`,
            the paper's.

    Returns:
        A `Divergence`: the one that was given; a new one of the same
        configuration if it has state, which is nobody else's.

    Raises:
        ValueError: if it is none of these.
    """
    if estimate is None:
        return kernel_kl.KernelKL()
    if isinstance(estimate, dict):
        estimate = keras.saving.deserialize_keras_object(estimate)
    if not isinstance(estimate, divergence.Divergence):
        raise ValueError(
            "Expected a divergence, such as bbh_tf.divergences.KernelKL(); "
            f"got {estimate!r}."
        )
    if estimate.is_learned:
        checks.check_config(estimate)
        return type(estimate).from_config(estimate.get_config())
    return estimate

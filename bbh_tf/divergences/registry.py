"""Turning what a user gives into a divergence."""

import keras

from bbh_tf.divergences import divergence
from bbh_tf.divergences import kernel_kl


def get(estimate):
    """Turns what a user gives as a divergence into one.

    Args:
        estimate: a `Divergence`, its serialised form, or None for `KernelKL`,
            the paper's.

    Returns:
        A `Divergence`.

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
    return estimate

"""The scales that draws decide on in a flow."""

import tensorflow as tf

from bbh_tf import checks

# A scale is between 0.14 and 7.4: of eight layers no element leaves the range
# of float32, whatever is drawn.
MAX_LOG_SCALE = 2.0


def check_bound(value):
    """Refuses what is no bound of log-scales.

    Args:
        value: a number above 0, or None.

    Returns:
        It, as a `float`, or None.

    Raises:
        ValueError: if it is neither.
    """
    if value is None:
        return None
    if not checks.is_positive(value):
        raise ValueError(
            "Expected max_log_scale to be a finite number > 0, or None for "
            f"no bound; got {value!r}."
        )
    return float(value)


def positive(log_scale, max_log_scale, min_scale):
    """Makes scales of what a network returns.

    Args:
        log_scale: `float32` tensor, any numbers.
        max_log_scale: bound of |log-scale|, approached smoothly: the map is
            `bound * tanh(log_scale / bound)`, of slope 1 at 0. None for none.
        min_scale: added to each scale.

    Returns:
        A tensor of positive numbers, of the same shape.
    """
    if max_log_scale is not None:
        log_scale = max_log_scale * tf.tanh(log_scale / max_log_scale)
    return tf.exp(log_scale) + min_scale

"""The number under which held-out labels are most probable.

References:
    Kiefer, "Sequential Minimax Search for a Maximum", Proceedings of the AMS,
    1953 (the golden section).
"""

import math
import warnings

import numpy as np

from bbh_tf.uncertainty import checks

LOWEST, HIGHEST = 0.02, 50.0
# 1 is one of them.
_NUM_COARSE = 13
_TOLERANCE = 1e-5
_GOLDEN = (math.sqrt(5) - 1) / 2


def best(nll, name, why):
    """Finds the number between `LOWEST` and `HIGHEST` of lowest `nll`.

    Args:
        nll: function from a number to a float.
        name: what the number is called, where it warns.
        why: what it may mean that one of the two ends is the best.

    Returns:
        float, to 1e-5 of itself; `nll` of it is not above `nll(1.0)`.

    Warns:
        UserWarning: if one of the two ends is the best.
    """
    found = {}

    def nll_at(log_number):
        if log_number not in found:
            found[log_number] = nll(math.exp(log_number))
        return found[log_number]

    # A mixture's likelihood may have several maxima.
    coarse = np.linspace(math.log(LOWEST), math.log(HIGHEST), _NUM_COARSE)
    coarse[_NUM_COARSE // 2] = 0.0
    place = int(np.argmin([nll_at(t) for t in coarse.tolist()]))
    _golden_section(
        nll_at,
        coarse[max(place - 1, 0)],
        coarse[min(place + 1, _NUM_COARSE - 1)],
    )
    log_number = min(found, key=found.get)
    for end, side in ((coarse[0], "lowest"), (coarse[-1], "highest")):
        if abs(log_number - end) < 2 * _TOLERANCE:
            warnings.warn(
                f"The {side} {name} that is tried, {math.exp(end):.3g}, fits "
                f"the labels best: {why}.",
                stacklevel=3,
            )
    return math.exp(log_number)


def mean_nll(log_prob, weights):
    """Returns the mean of -log mean_s p_s, nats.

    Args:
        log_prob: array `(num_samples, labels)`.
        weights: array `(labels,)`, factors of the labels; None for 1.
    """
    highest = log_prob.max(axis=0)
    mean = np.mean(np.exp(log_prob - highest), axis=0)
    return float(-np.average(highest + np.log(mean), weights=weights))


def check_weights(sample_weight, shape):
    """Checks factors of labels.

    Args:
        sample_weight: array-like of the labels' shape, or of its first axes;
            or None.
        shape: that of the labels, a tuple.

    Returns:
        float64 array `(labels,)`, or None.

    Raises:
        ValueError: if it has another shape, there is NaN or a number below 0,
            or all are 0.
    """
    if sample_weight is None:
        return None
    weights = checks.check_floats(sample_weight, "sample_weight")
    weights = _like(weights, shape)
    if weights.ndim == 0 or weights.shape != shape[: weights.ndim]:
        raise ValueError(
            f"sample_weight: expected shape {shape}, that of the labels, or "
            f"its first axes; got {weights.shape}."
        )
    if weights.min() < 0 or not weights.any():
        raise ValueError(
            "sample_weight: expected numbers of at least 0, not all of them "
            f"0; got {weights.min():.6g} to {weights.max():.6g}."
        )
    weights = weights.reshape(
        weights.shape + (1,) * (len(shape) - weights.ndim)
    )
    return np.broadcast_to(weights, shape).reshape(-1)


def filled(labels, sample_weight, instead=0):
    """Puts a label in the place of those that count for nothing.

    These need be no labels: NaN, or a number for what is to be ignored.

    Args:
        labels: array-like.
        sample_weight: as `check_weights` takes it, which refuses what is none;
            or of the first axes of labels.
        instead: what is put there: of several axes for labels that are rows.

    Returns:
        Array of the labels' shape.
    """
    labels = np.array(checks.check_unmasked(labels, "labels"))
    if sample_weight is not None:
        shape = labels.shape[: labels.ndim - np.ndim(instead)]
        weights = _like(np.asarray(sample_weight), shape)
        if weights.shape == shape[: weights.ndim]:
            labels[weights == 0] = instead
    return labels


def _like(weights, shape):
    """Drops a last axis of length 1 that labels do not have, or no more.

    Of two axes, it makes weights of examples, as in training.
    """
    is_extra = weights.ndim in (2, len(shape) + 1) and weights.shape[-1] == 1
    return weights[..., 0] if is_extra else weights


def _golden_section(function, low, high):
    """Evaluates a function closer and closer to a minimum between two ends."""
    inner = high - _GOLDEN * (high - low)
    outer = low + _GOLDEN * (high - low)
    while high - low > _TOLERANCE:
        if function(inner) <= function(outer):
            high, outer = outer, inner
            inner = high - _GOLDEN * (high - low)
        else:
            low, inner = inner, outer
            outer = low + _GOLDEN * (high - low)

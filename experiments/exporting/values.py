"""How variables begin on another machine: carried, or drawn anew there."""

import math

import numpy as np
import tensorflow as tf

from experiments.errors import ExperimentError

# LeNet's largest kernel is carried, a block of its hypernetwork is not.
_CARRIED_BYTES = 2**21
# Of a standard normal that is drawn anew beyond two standard deviations.
_BOUND = 2.0
_TRUNCATED_STD = 0.8796256610342398
_STANDARD_ERRORS = 5.0
# Twice exp(-2 * 3^2), 3e-8, is the share of samples that go further astray.
_MOST_KOLMOGOROV = 3.0


def start_of(name, value, carry_all):
    """Says how a variable is to begin.

    Args:
        name: the variable's name, for the message.
        value: its value, an array.
        carry_all: whether every value is carried that is not zero.

    Returns:
        Dictionary with `"kind"`: `"zeros"`; `"values"`, carried as they are;
        `"truncated_normal"` around 0, cut at two standard deviations, with
        `"scale"`, the standard deviation before the cut; or `"uniform"`, with
        `"scale"`, the largest value, and its negative the least.

    Raises:
        ExperimentError: if it is too large to carry, and neither zeros nor
            distributed in such a way.
    """
    if not value.any():
        return {"kind": "zeros"}
    if carry_all or value.nbytes <= _CARRIED_BYTES:
        return {"kind": "values"}
    kind = scale = None
    if value.dtype == np.float32:
        kind, scale = _distribution_of(value)
    if kind is None:
        raise ExperimentError(
            f"{name}: expected zeros, a truncated normal or a uniform "
            f"distribution around 0, or at most {_CARRIED_BYTES:,} bytes to "
            f"carry; got {value.nbytes:,} bytes of mean {np.mean(value):.3g} "
            f"and standard deviation {np.std(value):.3g}."
        )
    return {"kind": kind, "scale": scale}


def _distribution_of(value):
    """Returns `(kind, scale)`, or twice None where no kind fits."""
    values = np.sort(value.ravel().astype(np.float64))
    root = math.sqrt(len(values))
    std = float(np.std(values))
    if std == 0 or abs(np.mean(values)) > _STANDARD_ERRORS * std / root:
        return None, None
    largest = max(-values[0], values[-1])
    for kind, scale, bound, cdf in (
        ("truncated_normal", std / _TRUNCATED_STD, _BOUND, _truncated_cdf),
        ("uniform", std * math.sqrt(3.0), 1.0, _uniform_cdf),
    ):
        # The scale is an estimate, and so is the bound.
        if largest > bound * scale * (1 + _STANDARD_ERRORS / root):
            continue
        ranks = (np.arange(len(values)) + 0.5) / len(values)
        distance = np.max(np.abs(cdf(values / scale) - ranks))
        if distance * root <= _MOST_KOLMOGOROV:
            return kind, scale
    return None, None


def _truncated_cdf(x):
    below, inside = (
        0.5 * (1.0 + tf.math.erf(tf.constant(z / math.sqrt(2.0))).numpy())
        for z in (x, _BOUND)
    )
    return (below - (1.0 - inside)) / (2.0 * inside - 1.0)


def _uniform_cdf(x):
    return 0.5 * (x + 1.0)

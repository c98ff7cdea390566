"""The factor on standard deviations that makes held-out labels most probable.

What a temperature is to logits: one number multiplies the standard deviation
that every draw gives the labels, then the draws' densities are averaged. It is
fitted on that mean,

    mean_s N(y; mean_s, (T std_s)^2).

References:
    Laves, Ihler, Fast, Kahrs, Ortmaier, "Well-Calibrated Regression
    Uncertainty in Medical Imaging with Deep Learning", MIDL 2020 (the factor of
    one network, in closed form).
    Levi, Gispan, Giladi, Fetaya, "Evaluating and Calibrating Uncertainty
    Prediction in Regression Tasks", arXiv:1905.11659.
"""

import math

import numpy as np

from bbh_tf.postprocessing import search
from bbh_tf.postprocessing.temperature_fit import check_draws
from bbh_tf.uncertainty import checks

_WHY = "are predictions and labels in the same units, or too few"


def fit_std_factor(means, stds, labels, sample_weight=None):
    """Finds the factor on standard deviations with the lowest NLL.

    Of one network it is the root of the mean of ((label - mean) / std)^2. What
    draws disagree about is left as it is: it multiplies the noise of each draw
    (`"aleatoric_std"`), not the spread of their means. An example of several
    labels counts label by label.

    Args:
        means: array-like, `(num_samples, examples, ...)` of draws, or
            `(examples, ...)` of one network.
        stds: array-like of that shape, above 0, of the labels around them.
        labels: array-like, `(examples, ...)`, in the same units, none of which
            the model was trained on.
        sample_weight: array-like, `(examples, ...)` or `(examples,)`, what
            labels count, 0 for those that are missing, NaN say; None for 1.

    Returns:
        float between 0.02 and 50, to 1e-5 of itself. The negative
        log-likelihood of these labels is not higher with it than with 1. It
        warns where one of the two ends is the best.

    Raises:
        ValueError: if a number is not finite, a standard deviation not above
            0 or so small that an error in its units is not finite, or a shape
            does not fit.

    Example:
    ```python
    # Off by two standard deviations: they should be twice as large.
    fit_std_factor([0.0, 0.0], [1.0, 1.0], labels=[2.0, -2.0])  # 2.0
    ```
    """
    labels = search.filled(labels, sample_weight)
    labels = checks.check_floats(labels, "labels")
    means = check_draws(means, "means", labels)
    stds = check_draws(stds, "stds", labels)
    if means.shape != stds.shape:
        raise ValueError(
            f"stds: expected the shape of means, {means.shape}; got "
            f"{stds.shape}."
        )
    if stds.min() <= 0:
        raise ValueError(
            f"stds: expected numbers above 0, got {stds.min():.6g}."
        )
    weights = search.check_weights(sample_weight, labels.shape)
    with np.errstate(over="ignore"):
        errors = ((labels - means) / stds).reshape(len(means), -1)
        largest = np.square(errors / search.LOWEST).max()
    if not np.isfinite(largest):
        raise ValueError(
            "stds: expected numbers that errors can be measured in; got "
            f"{stds.min():.3g} beside an error of "
            f"{np.abs(labels - means).max():.3g}."
        )
    constants = np.log(stds * math.sqrt(2 * math.pi)).reshape(len(means), -1)

    def nll(factor):
        log_prob = -0.5 * (errors / factor) ** 2 - constants
        return search.mean_nll(log_prob - math.log(factor), weights)

    return search.best(nll, "factor", _WHY)

"""The marginal likelihood of a linear layer, and what maximises it.

At weights w with the log-likelihood's Hessian -H, whose eigenvalues are the
l_i, and the prior N(0, 1 / a) of each of D weights,

    log p(y) = log p(y | w) + D/2 log a - a/2 |w|^2 - 1/2 sum log(l_i + a),

which is exact where the likelihood is Gaussian and w the posterior's mean.

References:
    MacKay, Bayesian Interpolation, 1992; Immer et al., Scalable Marginal
    Likelihood Estimation for Model Selection, arXiv:2104.04975.
"""

import math

import numpy as np

# In between a root is looked for, on a scale of logs: 1e-13 to 1e13, in units
# that are those of the data, since labels may have any.
_LOG_RANGE = 30.0
_BISECTIONS = 80
# The two are found in turn, until neither moves by more.
_TOLERANCE = 1e-9
_MOST_TURNS = 1000
# Of the labels' squared deviation, what rounding of features may leave.
_LEAST_ERROR = 1e-12


def log_evidence(moments, eigenvalues, square_norm, precision, noise_scale):
    """Computes log p(y), nats for the whole data set.

    Args:
        moments: `curvature.Moments`.
        eigenvalues: array `(D,)`, those of its Hessian; the diagonal where the
            posterior is factorised.
        square_norm: |w|^2.
        precision: a, of the prior.
        noise_scale: standard deviation of the labels; 1 where it has none.

    Returns:
        A float.
    """
    curvatures = eigenvalues / noise_scale**2 + precision
    return float(
        moments.log_likelihood_at(noise_scale)
        + 0.5 * len(eigenvalues) * math.log(precision)
        - 0.5 * precision * square_norm
        - 0.5 * np.log(curvatures).sum()
    )


def maximise(
    moments, eigenvalues, square_norm, precision=None, noise_scale=None
):
    """Finds the prior's precision, and the noise, of largest `log_evidence`.

    Args:
        moments: `curvature.Moments`.
        eigenvalues: array `(D,)`; see `log_evidence`.
        square_norm: |w|^2, positive.
        precision: a number to keep, or None for the best.
        noise_scale: a number to keep, or None for the best.

    Returns:
        `(precision, noise_scale)`.

    Raises:
        ValueError: if there is no best noise, since the outputs are the labels.
    """
    if noise_scale is not None:
        if precision is None:
            scaled = eigenvalues / noise_scale**2
            precision = _best_precision(scaled, square_norm)
        return precision, noise_scale
    square_error = -2.0 * moments.log_likelihood
    if square_error <= -2.0 * _LEAST_ERROR * moments.constant:
        raise ValueError(
            "laplace finds no scale of the noise where outputs equal labels: "
            "expected likelihoods.Normal(scale) with one of your own."
        )
    keeps = precision is not None
    variance = square_error / moments.num_labels
    precision = precision if keeps else 1.0
    for _ in range(_MOST_TURNS):
        before = math.log(precision), math.log(variance)
        if not keeps:
            precision = _best_precision(eigenvalues / variance, square_norm)
        variance = _best_variance(
            eigenvalues, precision, square_error, moments.num_labels
        )
        after = math.log(precision), math.log(variance)
        if max(abs(a - b) for a, b in zip(before, after)) < _TOLERANCE:
            break
    return precision, math.sqrt(variance)


def _best_precision(eigenvalues, square_norm):
    # MacKay's well-determined directions, gamma = a |w|^2.
    eigenvalues = eigenvalues * square_norm
    gamma = _root(lambda g: (eigenvalues / (eigenvalues + g)).sum() - g)
    return gamma / square_norm


def _best_variance(eigenvalues, precision, square_error, num_labels):
    unit = square_error / num_labels
    precision = precision * unit
    return unit * _root(
        lambda v: (
            num_labels / v
            + (eigenvalues / (eigenvalues + v * precision)).sum()
            - num_labels
        )
    )


def _root(decreasing):
    """Returns where a decreasing function of a positive number is 0."""
    low, high = -_LOG_RANGE, _LOG_RANGE
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if decreasing(math.exp(middle)) > 0:
            low = middle
        else:
            high = middle
    return math.exp(0.5 * (low + high))

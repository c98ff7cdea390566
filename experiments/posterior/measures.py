"""Numbers for shape and dependence of a posterior, from draws of weights."""

import numpy as np
from scipy import special

from experiments.posterior import dip

# Share of normal, or unimodal, marginals that the tests may reject.
LEVEL = 0.01
# Upper 1 % point of the adjusted statistic, mean and variance unknown.
_CRITICAL = 1.035
# A dip takes half a millisecond.
_MOST_DIPS = 500
# Below so many float32 steps to a standard deviation, a marginal's shape is
# that of rounding.
_FEWEST_STEPS = 64


def is_resolved(values):
    """Whether weights vary by much more than float32's rounding.

    Args:
        values: `float32` array `(draws, weights)`.

    Returns:
        bool array `(weights,)`.
    """
    steps = np.spacing(np.max(np.abs(values), axis=0).astype(np.float32))
    return np.std(values, axis=0, dtype=np.float64) > _FEWEST_STEPS * steps


def anderson_darling(values):
    """Computes the Anderson-Darling statistic of normality.

    A distance between the distribution functions of the draws and of the
    normal that fits them, which weighs the tails. It is adjusted for the
    number of draws, so that one table serves all.

    Args:
        values: array `(draws, weights)`.

    Returns:
        Array `(weights,)`, above 1.035 for 1 % of normal marginals.

    References:
        D'Agostino and Stephens, Goodness-of-Fit Techniques, 1986, Table 4.7.
    """
    values = np.sort(np.asarray(values, np.float64), axis=0)
    count = len(values)
    z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    odd = 2 * np.arange(count)[:, np.newaxis] + 1
    logs = special.log_ndtr(z) + special.log_ndtr(-z[::-1])
    statistic = -count - np.mean(odd * logs, axis=0)
    return statistic * (1 + 0.75 / count + 2.25 / count**2)


def is_not_normal(values):
    """Whether normality is rejected at 1 %, for each column of draws."""
    return anderson_darling(values) > _CRITICAL


def is_multimodal(values):
    """Whether one mode is rejected at 1 %, for each column of draws."""
    dips = [dip.dip(column) for column in np.transpose(values)]
    return dip.p_values(dips, len(values)) <= LEVEL


def shapes(values):
    """Counts marginals that are neither normal nor of one mode.

    Args:
        values: `float32` array `(draws, weights)`.

    Returns:
        Dictionary: `"resolved"`, how many weights vary by more than rounding
        and are tested; `"not_normal"`, the share of them whose normality is
        rejected at 1 %; `"multimodal"`, the share of (the first 500 of) them
        for which one mode is. Shares are None where none is tested.
    """
    values = values[:, is_resolved(values)]
    found = {"resolved": values.shape[1], "not_normal": None}
    found["multimodal"] = None
    if values.size:
        found["not_normal"] = float(np.mean(is_not_normal(values)))
        part = values[:, :_MOST_DIPS]
        found["multimodal"] = float(np.mean(is_multimodal(part)))
    return found


def correlations(values):
    """Computes the correlation matrix of the weights.

    Args:
        values: `float32` array `(draws, weights)`.

    Returns:
        `float64` array `(weights, weights)`, NaN for weights that vary by no
        more than rounding.
    """
    resolved = is_resolved(values)
    z = np.asarray(values, np.float64)
    z = z - z.mean(axis=0)
    z /= np.where(resolved, np.sqrt(np.sum(z**2, axis=0)), np.nan)
    return np.clip(z.T @ z, -1, 1)


def dependence(values, num_filters):
    """Measures how the weights of a kernel depend on each other.

    Args:
        values: `float32` array `(draws, weights)`, a kernel, row-major.
        num_filters: length of its last axis.

    Returns:
        Dictionary of floats, None where fewer than two weights vary:
        `"correlation"`, the mean absolute correlation of two weights;
        `"within_filters"` and `"between_filters"`, that of two of one filter
        and of two filters; and of the correlation and the covariance matrix
        what `ranks` says, as `"effective_rank"`, `"participation_ratio"`,
        `"covariance_effective_rank"` and `"covariance_participation_ratio"`.
    """
    resolved = np.flatnonzero(is_resolved(values))
    values = values[:, resolved]
    matrix = correlations(values)
    filters = resolved % num_filters
    same = filters[:, np.newaxis] == filters
    others = ~np.eye(len(matrix), dtype=bool)
    found = {
        "correlation": _mean_size(matrix[others]),
        "within_filters": _mean_size(matrix[others & same]),
        "between_filters": _mean_size(matrix[~same]),
    }
    spread = np.std(values, axis=0, dtype=np.float64)
    covariance = matrix * spread * spread[:, np.newaxis]
    for name, each in (("", matrix), ("covariance_", covariance)):
        rank, ratio = ranks(each) if len(each) > 1 else (None, None)
        found[f"{name}effective_rank"] = rank
        found[f"{name}participation_ratio"] = ratio
    return found


def ranks(matrix):
    """Counts along how many directions a distribution spreads.

    Args:
        matrix: a covariance or correlation matrix.

    Returns:
        `(effective_rank, participation_ratio)`: exp of the entropy of the
        eigenvalues, normalised, and 1 over the sum of their squares.

    References:
        Roy and Vetterli, The Effective Rank, EUSIPCO 2007.
    """
    eigenvalues = np.maximum(np.linalg.eigvalsh(matrix), 0)
    shares = eigenvalues / eigenvalues.sum()
    entropy = float(np.sum(special.entr(shares)))
    return float(np.exp(entropy)), float(1 / np.sum(shares**2))


def of_independent_weights(num_draws, num_weights):
    """Says what `dependence` finds where weights are independent normals.

    So few draws know no better.

    Args:
        num_draws: number of draws, at least 3.
        num_weights: number of weights.

    Returns:
        Dictionary of the mean absolute correlation and of the ranks of the
        correlation matrix, in expectation, as `dependence` names them.

    References:
        Page, Average Entropy of a Subsystem, arXiv:gr-qc/9305007, for the
        entropy of the eigenvalues.
    """
    free = num_draws - 1
    few, many = sorted((num_weights, free))
    squares = num_weights + num_weights * (num_weights - 1) / free
    # r^2 follows a Beta distribution of 1/2 and (free - 1) / 2.
    size = special.beta(1, (free - 1) / 2) / special.beta(0.5, (free - 1) / 2)
    return {
        "correlation": float(size),
        "effective_rank": float(few * np.exp(-few / (2 * many))),
        "participation_ratio": float(num_weights**2 / squares),
    }


def _mean_size(values):
    return float(np.mean(np.abs(values))) if values.size else None

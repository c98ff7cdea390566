"""What a posterior makes of single weights, and of pairs of them."""

import math

import numpy as np

from bbh_tf.plots import axes
from bbh_tf.uncertainty import checks

_NUM_COLORS = 21
# Of correlations in float32.
_ROUND_OFF = 1e-4


def weight_marginal(values, ax=None, color="C0", normal_color="C1"):
    """Draws a histogram of one weight beside the normal that fits it.

    Args:
        values: array-like, `(draws,)`, the weight under each draw.
        ax: `matplotlib.axes.Axes` to draw into; None for new ones.
        color: of the histogram, as matplotlib has it.
        normal_color: of the normal of the same mean and standard deviation;
            None for no normal. There is none where all draws are equal.

    Returns:
        The axes; both are labelled for a legend.

    Raises:
        ValueError: if there are fewer than two draws, or one is not finite.
        ImportError: if matplotlib is not installed.

    Example:
    ```python
    bbh_tf.plots.weight_marginal(np.random.default_rng(0).normal(size=100))
    ```
    """
    values = checks.check_floats(values, "values")
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(
            "values: expected shape (draws,), of two draws at least; got "
            f"{values.shape}."
        )
    ax = axes.given_or_new(ax)
    center, spread = values.mean(), values.std(ddof=1)
    reach = max(4 * spread, np.max(np.abs(values - center)), 1e-12)
    num_bins = int(np.clip(1.2 * math.sqrt(len(values)), 5, 40))
    ax.hist(values, num_bins, density=True, color=color, label="draws")
    if normal_color is not None:
        grid = np.linspace(center - reach, center + reach, 200)
        label = "normal of their mean and std"
        (line,) = ax.plot([], color=normal_color, label=label)
        if spread > 0:
            z = (grid - center) / spread
            density = np.exp(-0.5 * z**2) / (spread * math.sqrt(2 * math.pi))
            line.set_data(grid, density)
            ax.relim()
            ax.autoscale_view()
    ax.set(xlim=(center - reach, center + reach), yticks=[])
    ax.set_xlabel("weight")
    # Numbers of as many digits as weights have run into one another.
    ax.locator_params(axis="x", nbins=3, min_n_ticks=2)
    ax.spines["left"].set_visible(False)
    return ax


def weight_correlations(correlations, ax=None):
    """Draws a matrix of correlations of weights, red above 0 and blue below.

    Steps of 0.1: what is white is below 0.05. The diagonal, and what is NaN,
    is grey. For a colour bar, `ax.figure.colorbar(ax.images[0])`.

    Args:
        correlations: array-like, `(weights, weights)`, as
            `numpy.corrcoef(draws, rowvar=False)` of draws `(draws, weights)`.
        ax: `matplotlib.axes.Axes` to draw into; None for new ones.

    Returns:
        The axes.

    Raises:
        ValueError: if it is no square matrix of numbers from -1 to 1.
        ImportError: if matplotlib is not installed.

    Example:
    ```python
    draws = np.random.default_rng(0).normal(size=(100, 7))
    bbh_tf.plots.weight_correlations(np.corrcoef(draws, rowvar=False))
    ```
    """
    matrix = np.array(correlations, np.float64)
    if matrix.ndim != 2 or not 0 < matrix.shape[0] == matrix.shape[1]:
        raise ValueError(
            "correlations: expected shape (weights, weights), got "
            f"{matrix.shape}."
        )
    if np.any(np.abs(matrix) > 1 + _ROUND_OFF):
        raise ValueError(
            "correlations: expected numbers from -1 to 1, got "
            f"{np.nanmin(matrix):.6g} to {np.nanmax(matrix):.6g}."
        )
    ax = axes.given_or_new(ax)
    import matplotlib

    np.fill_diagonal(matrix, np.nan)
    colors = matplotlib.colormaps["RdBu_r"].resampled(_NUM_COLORS)
    reach = 1 + 1 / (_NUM_COLORS - 1)
    ax.imshow(
        matrix,
        cmap=colors.with_extremes(bad="0.6"),
        vmin=-reach,
        vmax=reach,
        interpolation="nearest",
    )
    ax.spines[:].set_visible(False)
    ax.set(xlabel="weight", ylabel="weight")
    return ax

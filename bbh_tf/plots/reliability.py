"""Accuracy against confidence."""

import numpy as np

from bbh_tf import uncertainty
from bbh_tf.plots import axes

# Of a normal, for 95 %.
_NORMAL_QUANTILE = 1.959964
_MOST_HEIGHT = 0.25


def reliability(diagram, ax=None, color="C0"):
    """Draws a reliability diagram: points on the diagonal are calibrated.

    Each point is a bin, with a 95 % interval of its accuracy (Wilson's); grey
    bars say how many predictions each has.

    Args:
        diagram: a `bbh_tf.uncertainty.ReliabilityDiagram`.
        ax: `matplotlib.axes.Axes` to draw into; None for new ones.
        color: of the points, as matplotlib has it.

    Returns:
        The axes.

    Raises:
        ValueError: if it is no such diagram.
        ImportError: if matplotlib is not installed.

    Example:
    ```python
    diagram = bbh_tf.uncertainty.reliability_diagram([[0.8, 0.2]] * 5, [0] * 5)
    bbh_tf.plots.reliability(diagram)
    ```
    """
    axes.check_kind(diagram, uncertainty.ReliabilityDiagram, "diagram")
    ax = axes.given_or_new(ax)
    filled = diagram.count > 0
    count = diagram.count[filled]
    confidence, accuracy = diagram.confidence[filled], diagram.accuracy[filled]
    ax.plot([0, 1], [0, 1], color="0.7", linewidth=1, zorder=0)
    lower, upper = _interval(accuracy, count)
    ax.vlines(confidence, lower, upper, color=color, linewidth=1.2, alpha=0.7)
    ax.plot(confidence, accuracy, "o", color=color, markersize=4)
    ax.bar(
        diagram.edges[:-1][filled],
        _MOST_HEIGHT * count / count.max(),
        np.diff(diagram.edges)[filled],
        align="edge",
        color="0.85",
        zorder=-1,
    )
    ax.set(
        xlim=(0, 1.02),
        ylim=(0, 1.02),
        xlabel="confidence",
        ylabel="accuracy",
    )
    return ax


def _interval(share, count):
    """Returns both ends of Wilson's interval of a binomial share."""
    square = _NORMAL_QUANTILE**2 / count
    middle = (share + square / 2) / (1 + square)
    half = np.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)

"""Errors against how much is answered."""

from bbh_tf import uncertainty
from bbh_tf.plots import axes


def risk_coverage(curve, ax=None, generalized=False, color="C0", label=None):
    """Draws the risk of what is answered against how much that is.

    Args:
        curve: a `bbh_tf.uncertainty.RiskCoverage`.
        ax: `matplotlib.axes.Axes` to draw into; None for new ones.
        generalized: whether to draw the generalised risk, whose area is
            `augrc`, or the risk, whose area is `aurc`.
        color: of the line, as matplotlib has it.
        label: what a legend is to call it.

    Returns:
        The axes.

    Raises:
        ValueError: if it is no such curve.
        ImportError: if matplotlib is not installed.

    Example:
    ```python
    curve = bbh_tf.uncertainty.risk_coverage([0, 1, 0], [0.1, 0.2, 0.3])
    bbh_tf.plots.risk_coverage(curve, label="MAP")
    ```
    """
    axes.check_kind(curve, uncertainty.RiskCoverage, "curve")
    ax = axes.given_or_new(ax)
    risk = curve.generalized_risk if generalized else curve.risk
    (line,) = ax.plot(curve.coverage, risk, color=color, label=label)
    ax.set(
        xlim=(0, 1),
        xlabel="coverage",
        ylabel="generalised risk" if generalized else "risk",
    )
    # From 0 on, and yet as far up as any line that is still to come.
    line.sticky_edges.y.append(0)
    ax.update_datalim([(0, 0)], updatex=False)
    ax.autoscale_view()
    return ax

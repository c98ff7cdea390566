"""What is charged for and what is not; and what that does to the cubic."""

import numpy as np
from matplotlib import pyplot

from experiments.bound import toy
from experiments.reporting import figures
from experiments.toy import data as toy_data
from experiments.toy import figure as toy_figure

_BLUE, _RED, _GREEN = "#0072B2", "#D55E00", "#009E73"
CAPTION = (
    "Above, a Gaussian posterior of known KL, w = A z + σ ε. Left: as σ goes "
    "to 0 the KL grows without end; the sum of the weights' own KLs, and the "
    "estimate that training uses, do not see it. Right: all that z gains over "
    "a normal of each weight by itself is I(w; z). Below, the cubic of Figure "
    "1, dashed, with its points under each objective; orange is the posterior "
    "(NUTS), ± 3 std."
)
_SHOWN = ("marginals_1", "marginals_8", "bound_1", "bound_8", "bbb")


def write(gaussian, functions, reference, notes, folder):
    """Draws and writes `objective.png`.

    Args:
        gaussian: dictionary of lists over `"sigma"`: `gaussian.closed_forms`,
            `"estimate"`, `"error"`; and `"num_weights"`.
        functions: variant -> functions drawn at the grid and beyond.
        reference: those of the posterior.
        notes: variant -> a line or two of numbers.
        folder: a `pathlib.Path`.

    Returns:
        The file's name.
    """
    size = len(toy_data.grid())
    with pyplot.rc_context(figures.STYLE):
        figure = pyplot.figure(figsize=(15, 7.6))
        above, below = figure.subfigures(2, 1)
        left, right = above.subplots(1, 2)
        _growth(left, gaussian)
        _gain(right, gaussian)
        panels = below.subplots(1, len(_SHOWN), sharey=True)
        for axis, key in zip(panels, _SHOWN):
            toy_figure.panel(
                axis, functions[key][:, :size], reference[:, :size]
            )
            axis.set_title(toy.VARIANTS[key][0], loc="left", fontsize=10)
            axis.set_xlabel("x")
            axis.text(
                0.98,
                0.03,
                notes[key],
                transform=axis.transAxes,
                fontsize=8,
                ha="right",
                va="bottom",
            )
        path = folder / "objective.png"
        figures.save(figure, path)
    return path.name


def _growth(axis, found):
    count = found["num_weights"]
    sigma = np.array(found["sigma"])
    axis.semilogx(
        sigma, np.array(found["kl"]) / count, color=_RED, label="KL(q‖p)"
    )
    axis.semilogx(
        sigma,
        np.array(found["marginals"]) / count,
        color=_BLUE,
        label="sum of the weights' own KLs",
    )
    axis.errorbar(
        sigma,
        np.array(found["estimate"]) / count,
        yerr=np.array(found["error"]) / count,
        fmt="o",
        color=_BLUE,
        markersize=4,
        label="estimate, third neighbour of five",
    )
    axis.set(
        xlabel="noise σ of each weight",
        ylabel="nats a weight",
        title=f"What is charged: {count:,} weights, noise dimension "
        f"{found['noise_dim']}",
    )
    axis.legend(frameon=False)


def _gain(axis, found):
    sigma = np.array(found["sigma"])
    axis.loglog(
        sigma,
        found["conditional"],
        "--",
        color=_GREEN,
        label="a normal of each weight: E KL(q(w | z)‖p)",
    )
    axis.loglog(sigma, found["kl"], color=_RED, label="KL(q‖p)")
    axis.loglog(
        sigma,
        found["information"],
        color="black",
        label="their difference, I(w; z)",
    )
    axis.set(
        xlabel="noise σ of each weight",
        ylabel="nats, all weights",
        title="What dependence gains in an honest bound",
    )
    axis.legend(frameon=False)

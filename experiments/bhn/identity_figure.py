"""Figure 2: draws of a and b over their exact posterior."""

import numpy as np
from matplotlib import pyplot

from experiments.bhn import identity
from experiments.reporting import figures

_DRAWS = "#0072B2"
_CURVE = "#D55E00"
_SHOWN = 1000
_LIMIT = 2.0
CAPTION = (
    "Grey: the exact posterior, by its density on a grid. Blue: 1,000 draws of "
    "one seed. Orange: b = 1 / a, where y = a b x is the identity. Shares are "
    "of draws at the mode in the lower left and at that in the upper right; "
    "the KL is to the exact posterior, median over the seeds, in nats."
)


def write(settings, results, draws, folder):
    """Draws a panel for each noise level and flow.

    Args:
        settings: an `identity.Settings`.
        results: what `identity.compare` returned.
        draws: likewise.
        folder: a `pathlib.Path`.

    Returns:
        The figure's path.
    """
    noises = list(dict.fromkeys(noise for noise, _ in draws))
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            len(noises),
            len(identity.FLOWS),
            figsize=(3.1 * len(identity.FLOWS), 3.0 * len(noises)),
            sharex=True,
            sharey=True,
            squeeze=False,
        )
        for result in results:
            row = noises.index(result["noise_std"])
            column = list(identity.FLOWS).index(result["flow"])
            key = result["noise_std"], result["flow"]
            axis = axes[row, column]
            problem = identity.Problem(settings, result["noise_std"])
            _panel(axis, problem, draws[key])
            axis.set_title(
                f"{identity.FLOWS[result['flow']]}, noise "
                f"{result['noise_std']:g}",
                loc="left",
            )
            upper, lower = result["shares"][0]
            axis.text(
                0.02,
                0.97,
                f"{100 * lower:.0f} % and {100 * upper:.0f} % at modes\n"
                f"KL {np.median(result['kl']):.2f}",
                transform=axis.transAxes,
                fontsize=8,
                va="top",
            )
        for axis in axes[-1]:
            axis.set_xlabel("a")
        for axis in axes[:, 0]:
            axis.set_ylabel("b")
        path = folder / "identity.png"
        figures.save(figure, path)
    return path


def _panel(axis, problem, draws):
    edge = problem.axis[[0, -1]]
    # The root shows the modes' flanks beside their tops.
    axis.imshow(
        np.sqrt(problem.density.T),
        origin="lower",
        extent=(*edge, *edge),
        cmap="Greys",
        interpolation="bilinear",
    )
    for side in (1, -1):
        a = side * np.geomspace(1 / _LIMIT, _LIMIT, 100)
        axis.plot(a, 1 / a, "--", color=_CURVE, linewidth=1.0)
    axis.plot(
        *draws[:_SHOWN].T,
        ".",
        color=_DRAWS,
        markersize=2,
        alpha=0.35,
        markeredgewidth=0,
    )
    axis.set(xlim=(-_LIMIT, _LIMIT), ylim=(-_LIMIT, _LIMIT))
    axis.set_aspect("equal")

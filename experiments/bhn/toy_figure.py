"""Figure 1: a panel for each network, and the posterior itself."""

from matplotlib import pyplot

from experiments import lazy
from experiments.bhn import toy
from experiments.bhn import toy_data
from experiments.reporting import figures

bbh = lazy.import_module("bbh_tf")

_BAND = "#0072B2"
_REFERENCE = "#D55E00"
_SHOWN = 50
_WIDTHS = (0.5, 1.0, 1.5, 2.0)
CAPTION = (
    "Bands: half a standard deviation of the function each, from the mean on. "
    "Orange: the posterior's mean and two standard deviations by NUTS, the "
    "same in all panels. Crosses: 50 of the training points, which lie between "
    "the grey lines."
)


def write(draws, measures, folder):
    """Draws the panels.

    Args:
        draws: dictionary from the keys of `toy.NAMES` to functions drawn,
            `(num_draws, num_grid)`.
        measures: dictionary from them to numbers.
        folder: a `pathlib.Path`.

    Returns:
        The figure's path.
    """
    x = toy_data.grid()[:, 0]
    points = [values[:_SHOWN, 0] for values in toy_data.training_data()]
    reference = draws[toy.REFERENCE]
    middle, spread = reference.mean(axis=0), reference.std(axis=0)
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            1, len(draws), figsize=(3.1 * len(draws), 3.2), sharey=True
        )
        for axis, (key, functions) in zip(axes, draws.items()):
            mean, std = functions.mean(axis=0), functions.std(axis=0)
            for edge in toy_data.SEEN:
                axis.axvline(edge, color="0.85", linewidth=0.8, zorder=0)
            bbh.plots.predictive_bands(x, mean, std, _WIDTHS, axis, _BAND)
            for width, line in ((0, "-"), (-2, "--"), (2, "--")):
                axis.plot(
                    x,
                    middle + width * spread,
                    line,
                    color=_REFERENCE,
                    linewidth=0.8,
                )
            axis.plot(*points, "x", color="0.2", markersize=3, alpha=0.6)
            axis.set_title(toy.NAMES[key], loc="left")
            axis.set(xlim=(x[0], x[-1]), ylim=(-2.5, 2.5), xlabel="x")
            if key not in ("plain", toy.REFERENCE):
                seen, unseen = measures[key]["seen"], measures[key]["unseen"]
                axis.text(
                    0.98,
                    0.03,
                    f"std / NUTS's: {seen['std_ratio']:.2f} inside,\n"
                    f"{unseen['std_ratio']:.2f} outside",
                    transform=axis.transAxes,
                    fontsize=8,
                    ha="right",
                    va="bottom",
                )
        axes[0].set_ylabel("y")
        path = folder / "bhn_toy.png"
        figures.save(figure, path)
    return path

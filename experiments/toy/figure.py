"""Figure 1: mean and bands of each method, in a panel each."""

import numpy as np
from matplotlib import pyplot

from experiments import lazy
from experiments.reporting import figures
from experiments.toy import data as toy_data
from experiments.toy import measures as toy_measures

bbh = lazy.import_module("bbh_tf")

# Blue and vermilion of Okabe and Ito's, told apart by colour-blind readers.
_BAND = "#0072B2"
_REFERENCE = "#D55E00"
_LOWEST, _HIGHEST = -165, 165
_COLUMNS = 4
CAPTION = (
    "The orange lines are the same in all panels: how sure the data and the "
    "prior N(0, 1) on each weight allow one to be.\nBands that end short of "
    "them are too sure, bands that go beyond are too unsure. Noise is not in "
    "the bands. Inside: x in [-4, 4]."
)


def panels(draws, names, notes):
    """Draws a panel for each method, and the reference in all of them.

    Args:
        draws: dictionary from keys to functions drawn, at `toy_data.grid()`,
            `(num_draws, num_grid)`; the first is the reference.
        names: dictionary from keys to titles.
        notes: dictionary from keys to a line or two of numbers.

    Returns:
        A figure.
    """
    count = len(draws) + 1
    num_rows = -(-count // _COLUMNS)
    reference = next(iter(draws.values()))
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            num_rows,
            _COLUMNS,
            figsize=(3.1 * _COLUMNS, 3.1 * num_rows + 0.4),
            sharex=True,
            sharey=True,
            squeeze=False,
        )
        cells = axes.flatten()
        for axis, (key, functions) in zip(cells, draws.items()):
            handles = panel(axis, functions, reference)
            axis.set_title(names[key], loc="left")
            axis.text(
                0.98,
                0.03,
                notes[key],
                transform=axis.transAxes,
                fontsize=8,
                ha="right",
                va="bottom",
                linespacing=1.3,
            )
        for axis in cells[len(draws) :]:
            axis.set_axis_off()
        cells[len(draws)].legend(
            handles=handles, loc="center left", frameon=False, fontsize=9
        )
        for column in range(_COLUMNS):
            shown = [a for a in axes[:, column] if a.axison]
            if shown:
                shown[-1].set_xlabel("x")
                # The row below may be the legend's.
                shown[-1].tick_params(labelbottom=True)
        for line in axes:
            line[0].set_ylabel("y")
        figure.supxlabel(CAPTION, x=0.01, ha="left", fontsize=9)
    return figure


def write(figure, folder):
    """Writes a figure as `toy_regression.png` into a folder, and closes it.

    Args:
        figure: what `panels` returned.
        folder: a `pathlib.Path`.

    Returns:
        The figure's path.
    """
    path = folder / "toy_regression.png"
    figures.save(figure, path)
    return path


def panel(axis, functions, reference):
    """Draws a mean and its bands, with the reference's outline.

    Args:
        axis: where to draw.
        functions: functions drawn, at `toy_data.grid()`, `(num_draws,
            num_grid)`.
        reference: functions drawn from the posterior, likewise.

    Returns:
        List of handles for a legend.
    """
    x = toy_data.grid(functions.shape[1])[:, 0]
    points = toy_data.training_data()
    mean, std = np.mean(functions, axis=0), np.std(functions, axis=0)
    for edge in (-toy_data.SEEN, toy_data.SEEN):
        axis.axvline(
            edge,
            color="0.85",
            linewidth=0.8,
            zorder=0,
            label="edges of the training data",
        )
    bbh.plots.predictive_bands(
        x, mean, std, toy_measures.WIDTHS, axis, _BAND, "mean of the function"
    )
    middle, spread = np.mean(reference, axis=0), np.std(reference, axis=0)
    for width in (-toy_measures.WIDTHS[-1], toy_measures.WIDTHS[-1]):
        axis.plot(
            x,
            middle + width * spread,
            color=_REFERENCE,
            linewidth=1.0,
            label="posterior (HMC), ± 3 std",
        )
    axis.plot(
        x, toy_data.truth(x), "--", color="black", linewidth=1.0, label="x³"
    )
    axis.plot(
        points[0][:, 0],
        points[1][:, 0],
        ".",
        color="black",
        markersize=5,
        label="20 training points (noise std 9)",
    )
    axis.set(
        xlim=(x[0], x[-1]), ylim=(_LOWEST, _HIGHEST), xticks=range(-4, 5, 2)
    )
    # Of what is drawn twice, one.
    handles, labels = axis.get_legend_handles_labels()
    return list(dict(zip(labels, handles)).values())

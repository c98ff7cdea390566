"""AUROCs of errors and outliers, a panel for each score."""

import numpy as np
from matplotlib import pyplot

from experiments.bhn import anomaly_table
from experiments.bhn import scores as scores_of
from experiments.bhn import trials
from experiments.reporting import figures
from experiments.reporting import legends

CAPTION = (
    "How well each score tells wrong answers from right ones (errors) and "
    "outliers from test images: AUROC of single trials, and their mean."
)


def write(found, folder):
    """Draws the panels.

    Args:
        found: what `trials.Trials.found` returns.
        folder: a `pathlib.Path`.

    Returns:
        The figure's path.
    """
    pairs = trials.by_method(found)
    columns = anomaly_table.columns(found)
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            2, 2, figsize=(9.5, 5.6), sharex=True, sharey=True
        )
        for axis, (score, title) in zip(axes.flat, scores_of.SCORES.items()):
            axis.axhline(0.5, color="0.8", linewidth=0.8)
            for index, (method, group) in enumerate(pairs):
                shift = 0.16 * (index - (len(pairs) - 1) / 2)
                _points(axis, columns, group, score, shift, method)
            axis.set_title(title, loc="left")
            axis.set_xticks(range(len(columns)), columns, fontsize=8)
        for axis in axes[:, 0]:
            axis.set_ylabel("AUROC")
        legends.outside(figure, *axes[0, 0].get_legend_handles_labels())
        path = folder / "anomaly.png"
        figures.save(figure, path)
    return path


def _points(axis, columns, group, score, shift, method):
    label = method.title
    for place, column in enumerate(columns):
        values = [
            x["auroc"] for x in anomaly_table.values(group, column, score)
        ]
        if not values:
            continue
        axis.plot(
            np.full(len(values), place + shift),
            values,
            "o",
            color=method.color,
            markersize=3,
            alpha=0.5,
        )
        axis.plot(
            [place + shift],
            [np.mean(values)],
            "_",
            color=method.color,
            markersize=10,
            markeredgewidth=2,
            label=label,
        )
        label = None

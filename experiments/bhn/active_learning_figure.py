"""Figure 4: accuracy against labels, by start and score."""

import numpy as np
from matplotlib import pyplot

from experiments.bhn import active_learning_table
from experiments.bhn import starts
from experiments.reporting import figures
from experiments.reporting import legends

CAPTION = (
    "Test accuracy against the number of labels, mean over the runs, the band "
    "one standard deviation. Warm start: training goes on from where it was; "
    "re-initialised: from new weights."
)
_COLUMNS = ("warm", "fresh")


def write(found, folder):
    """Draws a panel for each score and start.

    Args:
        found: what `trials.Trials.found` returns.
        folder: a `pathlib.Path`.

    Returns:
        The figure's path.
    """
    groups = active_learning_table.groups(found)
    scores = list(dict.fromkeys(score for (_, score, _), _ in groups))
    found_columns = {starts.STARTS[start].panel for (_, _, start), _ in groups}
    columns = [start for start in _COLUMNS if start in found_columns]
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            len(scores),
            len(columns),
            figsize=(4.5 * len(columns), 0.6 + 2.7 * len(scores)),
            sharex=True,
            sharey=True,
            squeeze=False,
        )
        for (method, score, start), group in groups:
            column = columns.index(starts.STARTS[start].panel)
            _line(axes[scores.index(score), column], group, method, start)
        for row, score in zip(axes, scores):
            for axis, start in zip(row, columns):
                axis.set_title(
                    f"{active_learning_table.SCORES[score]}, "
                    f"{starts.STARTS[start].title}",
                    loc="left",
                )
                axis.grid(color="0.92")
                if not axis.lines:
                    axis.text(
                        0.5,
                        0.5,
                        "not run",
                        transform=axis.transAxes,
                        horizontalalignment="center",
                    )
            row[0].set_ylabel("test accuracy")
        for axis in axes[-1]:
            axis.set_xlabel("labels")
        of_methods = {
            label: handle
            for axis in axes.flat
            for handle, label in zip(*axis.get_legend_handles_labels())
        }
        legends.outside(figure, list(of_methods.values()), list(of_methods))
        path = folder / "active_learning.png"
        figures.save(figure, path)
    return path


def _line(axis, group, method, start):
    labels = group[0]["measures"]["labels"]
    accuracy = np.array([one["measures"]["accuracy"] for one in group])
    mean = accuracy.mean(axis=0)
    # As in the table; of a single run there is none.
    std = accuracy.std(axis=0, ddof=len(group) > 1)
    title, panel, style, *_ = starts.STARTS[start]
    label = method.title if start == panel else f"{method.title}, {title}"
    axis.plot(labels, mean, style, color=method.color, label=label)
    axis.fill_between(
        labels,
        mean - std,
        mean + std,
        color=method.color,
        alpha=0.15,
        linewidth=0,
    )

"""Figures of predictions on turned and mixed images."""

import textwrap

import numpy as np
from matplotlib import pyplot

from experiments import paper_tables
from experiments.reporting import figures
from experiments.reporting import legends

_STYLE = {**figures.STYLE, "figure.dpi": 130}
# Okabe and Ito's, less the two that are hard to see or taken.
_COLORS = ("#E69F00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_LEAST_SHOWN = 0.2
_COLUMNS = 3


def turned_digits(series, results):
    """Draws what runs predict of each turned digit, a column for each.

    Args:
        series: list of `shift_images.Series`.
        results: dictionary from names of runs to what the command keeps of
            them: `"config"` and `"found"`, see `shift_predictions.analyse`.

    Returns:
        A figure: the digits, a row of class probabilities for each run, then
        entropies and mutual information of all.
    """
    heights = [0.5, *len(results) * [1.6], 2.0]
    with pyplot.rc_context(_STYLE):
        figure, axes = pyplot.subplots(
            len(heights),
            len(series),
            figsize=(3.5 * len(series), sum(heights) + 0.6),
            height_ratios=heights,
            squeeze=False,
            sharex="col",
            sharey="row",
        )
        for column, one in zip(axes.T, series):
            _strip(column[0], one)
            for axis, result in zip(column[1:-1], results.values()):
                _probabilities(axis, one, result)
            _entropies(column[-1], one, results)
            column[-1].set_xlabel(one.axis)
        for axis, name in zip(axes[1:-1, 0], results):
            # A panel is as high as some twenty letters.
            name = textwrap.fill(name, 20)
            axis.set_ylabel(f"{name}\nprobability", fontsize=9)
        axes[-1, 0].set_ylabel("entropies of all, nats", fontsize=9)
        _legend(figure, axes[-1, 0])
    return figure


def mixed_digits(one, results):
    """Draws what runs predict of two digits mixed, a panel for each run.

    Args:
        one: a `shift_images.Series`.
        results: see `turned_digits`.

    Returns:
        A figure; its last panel has entropies and mutual information.
    """
    count = len(results) + 1
    columns = 2 if count in (2, 4) else _COLUMNS
    rows = -(-count // columns)
    heights = [0.5, *rows * [2.0]]
    with pyplot.rc_context(_STYLE):
        figure, axes = pyplot.subplots(
            1 + rows,
            columns,
            figsize=(3.5 * columns, sum(heights) + 0.7),
            height_ratios=heights,
            squeeze=False,
            sharex="col",
        )
        for axis in axes[0]:
            _strip(axis, one)
            axis.set_title("")
        cells = axes[1:].flatten()
        for axis, (name, result) in zip(cells, results.items()):
            _probabilities(axis, one, result)
            axis.set_title(name, fontsize=10)
        _entropies(cells[count - 1], one, results)
        cells[count - 1].set_title("entropies of all", fontsize=10)
        cells[count - 1].set_ylabel("nats")
        for axis in cells[count:]:
            axis.set_axis_off()
        for line in axes[1:]:
            line[0].set_ylabel(line[0].get_ylabel() or "probability")
        for axis in cells[max(0, count - columns) : count]:
            axis.set_xlabel(one.axis)
            axis.tick_params(labelbottom=True)
        _legend(figure, cells[count - 1])
    return figure


def turned_test_set(results):
    """Draws accuracy and uncertainties of turned test images, by angle."""
    panels = (
        ("accuracy", "accuracy, %", 100),
        ("nll", "NLL, nats per image", 1),
        ("entropy", "mean entropy, nats", 1),
        ("mutual_information", "mean mutual information, nats", 1),
    )
    with pyplot.rc_context(_STYLE):
        figure, axes = pyplot.subplots(2, 2, figsize=(9, 6.4), sharex=True)
        for axis, (key, label, scale) in zip(axes.flat, panels):
            for name, result in results.items():
                points = result["found"]["turned"]
                axis.plot(
                    [point["angle"] for point in points],
                    [scale * point[key] for point in points],
                    ".-",
                    color=paper_tables.color_of(result["config"]),
                    label=name,
                )
            axis.set(ylabel=label, xticks=range(-90, 91, 30))
            axis.set_ylim(bottom=0)
        for axis in axes[1]:
            axis.set_xlabel("degrees, anticlockwise")
        legends.outside(figure, *axes[0, 0].get_legend_handles_labels())
    return figure


def _strip(axis, one):
    """Shows some of the images above where they are on the axis below."""
    stride = _stride(one)
    width = 0.46 * stride * (one.steps[1] - one.steps[0])
    for step, image in list(zip(one.steps, one.images))[::stride]:
        axis.imshow(
            np.squeeze(image),
            cmap="gray_r",
            vmin=0,
            vmax=1,
            extent=(step - width, step + width, 0, 1),
            aspect="auto",
        )
    margin = width * 1.1
    axis.set(
        xlim=(one.steps[0] - margin, one.steps[-1] + margin),
        ylim=(0, 1),
        title=one.name,
    )
    axis.set_axis_off()


def _stride(one):
    """Returns a step that leaves six or seven images of a series."""
    return -(-(len(one.steps) - 1) // 6)


def _probabilities(axis, one, result):
    """Draws the mean probability of classes, and its spread over draws."""
    part = _part(one, result)
    mean, lower, upper = (
        np.array(part[key]) for key in ("probabilities", "lower", "upper")
    )
    for digit in range(mean.shape[1]):
        is_true = digit in one.labels
        if not is_true and mean[:, digit].max() < _LEAST_SHOWN:
            continue
        color = _COLORS[digit % len(_COLORS)]
        if is_true:
            color = ("black", "#0072B2")[one.labels.index(digit)]
        axis.fill_between(
            one.steps,
            lower[:, digit],
            upper[:, digit],
            color=color,
            alpha=0.18,
            linewidth=0,
        )
        axis.plot(
            one.steps,
            mean[:, digit],
            color=color,
            linewidth=2 if is_true else 1.2,
        )
        best = int(np.argmax(mean[:, digit]))
        axis.annotate(
            str(digit),
            (one.steps[best], mean[best, digit]),
            (0, 2),
            textcoords="offset points",
            ha="center",
            color=color,
            fontsize=9,
            fontweight="bold",
        )
    axis.set(ylim=(0, 1.16), yticks=(0, 0.5, 1))
    axis.set_xticks(one.steps[:: _stride(one)])


def _entropies(axis, one, results):
    for name, result in results.items():
        part = _part(one, result)
        color = paper_tables.color_of(result["config"])
        axis.plot(one.steps, part["entropy"], color=color, label=name)
        axis.plot(one.steps, part["mutual_information"], ":", color=color)
    axis.set_xticks(one.steps[:: _stride(one)])
    axis.set_ylim(bottom=0)


def _part(one, result):
    """Returns what a run predicts of a series."""
    return next(
        part for part in result["found"]["series"] if part["name"] == one.name
    )


def _legend(figure, axis):
    handles, labels = axis.get_legend_handles_labels()
    dotted = pyplot.Line2D([], [], color="0.4", linestyle=":")
    legends.outside(
        figure,
        [*handles, dotted],
        [f"{label}: entropy" for label in labels] + ["mutual information"],
        "outside lower left",
    )

"""Reliability diagrams: accuracy against confidence, and errors in logs."""

import numpy as np
from matplotlib import pyplot

import bbh_tf as bbh
from experiments import paper_tables
from experiments.reporting import figures
from experiments.shift import calibration_measures

_STYLE = {**figures.STYLE, "figure.dpi": 130}
_RUNS_A_ROW = 2
_SUREST = 1e-6


def reliability(results):
    """Draws two panels for each run.

    Args:
        results: see `shift_panels.turned_digits`.

    Returns:
        A figure. Left, bins of equal width; right, of equal mass, errors
        against 1 - confidence on logarithmic axes, where most predictions
        are. Bars are 95 % intervals of a binomial share, Wilson's left, Clopper
        and Pearson's right.
    """
    columns = min(_RUNS_A_ROW, len(results))
    rows = -(-len(results) // columns)
    with pyplot.rc_context(_STYLE):
        figure, axes = pyplot.subplots(
            rows,
            2 * columns,
            figsize=(5.6 * columns, 2.9 * rows + 0.2),
            squeeze=False,
        )
        pairs = axes.reshape(-1, 2)
        for pair, (name, result) in zip(pairs, results.items()):
            found = result["found"]
            color = paper_tables.color_of(result["config"])
            sums = found["calibration"]
            bins = {
                kind: calibration_measures.Bins(
                    **{key: np.array(value) for key, value in one.items()}
                )
                for kind, one in found["bins"].items()
            }
            _linear(pair[0], bins["width"], color)
            _logarithmic(pair[1], bins["mass"], color)
            for axis, text, key in zip(pair, (name, ""), ("ece", "ece_mass")):
                axis.set_title(
                    f"{text}\nECE {100 * sums[key]:.2f} %, by chance "
                    f"{100 * sums[f'{key}_by_chance']:.2f} %",
                    loc="left",
                    fontsize=9,
                )
        for pair in pairs[len(results) :]:
            for axis in pair:
                axis.set_axis_off()
    return figure


def _linear(axis, bins, color):
    number = calibration_measures.NUM_BINS
    edges = np.arange(number + 1) / number
    confidence, accuracy = np.full((2, number), np.nan)
    count = np.zeros(number, int)
    # Empty bins were left out.
    place = np.searchsorted(edges[1:-1], bins.confidence)
    confidence[place], accuracy[place] = bins.confidence, bins.accuracy
    count[place] = bins.count
    bbh.plots.reliability(
        bbh.uncertainty.ReliabilityDiagram(edges, confidence, accuracy, count),
        axis,
        color,
    )


def _logarithmic(axis, bins, color):
    lowest = 0.2 / bins.count.max()
    doubt = np.clip(1 - bins.confidence, _SUREST, 1)
    axis.plot([_SUREST, 1], [_SUREST, 1], color="0.7", linewidth=1, zorder=0)
    axis.vlines(
        doubt,
        np.maximum(1 - bins.upper, lowest),
        1 - bins.lower,
        color=color,
        linewidth=1.2,
        alpha=0.7,
    )
    # Where none are wrong: at the lower end, and open.
    for chosen, fill in ((bins.accuracy < 1, color), (bins.accuracy == 1, "w")):
        axis.plot(
            doubt[chosen],
            np.maximum(1 - bins.accuracy[chosen], lowest),
            "o",
            color=color,
            markersize=4,
            markerfacecolor=fill,
        )
    axis.set(
        xscale="log",
        yscale="log",
        xlim=(_SUREST / 2, 1.2),
        ylim=(lowest / 1.5, 1.2),
        xlabel="1 - confidence",
        ylabel="share of errors",
    )

"""Figures 5 to 9: marginals, correlations and spreads of drawn weights."""

import numpy as np
from matplotlib import pyplot

from experiments import lazy
from experiments import paper_tables
from experiments.posterior import measures as posterior_measures
from experiments.reporting import figures
from experiments.reporting import legends

bbh = lazy.import_module("bbh_tf")

_DRAWS = "#56B4E9"
_NORMAL = "#D55E00"
_SIDE = 5
# Wide enough that a weight of 500 has a pixel of its own.
_STYLE = {**figures.STYLE, "figure.dpi": 160}
_LINES = ("-", "--", ":", "-.")


def marginals(draws, name):
    """Draws the marginals of the first 25 weights, 5 by 5.

    Args:
        draws: a `posterior_draws.Draws`.
        name: what the run is called.

    Returns:
        A figure.
    """
    values = draws.kernel[:, : _SIDE**2]
    resolved = posterior_measures.is_resolved(values)
    not_normal, multimodal = np.zeros((2, values.shape[1]), bool)
    tested = values[:, resolved]
    if tested.size:
        not_normal[resolved] = posterior_measures.is_not_normal(tested)
        multimodal[resolved] = posterior_measures.is_multimodal(tested)
    with pyplot.rc_context(_STYLE):
        figure, axes = pyplot.subplots(_SIDE, _SIDE, figsize=(9, 8))
        for axis in axes.flat[values.shape[1] :]:
            axis.set_axis_off()
        for index, (axis, column) in enumerate(zip(axes.flat, values.T)):
            normal = _NORMAL if resolved[index] else None
            bbh.plots.weight_marginal(column, axis, _DRAWS, normal)
            axis.set_xlabel("")
            axis.tick_params(labelsize=7)
            verdict = ""
            if not resolved[index]:
                verdict = ": does not vary"
            elif multimodal[index]:
                verdict = ": several modes"
            elif not_normal[index]:
                verdict = ": not normal"
            axis.set_title(
                f"{index}{verdict}",
                fontsize=8,
                color=_NORMAL if verdict else "0.3",
                pad=3,
            )
        figure.suptitle(f"{name}: weights 0 to 24 of the first kernel")
        figure.supxlabel("weight", fontsize=10)
        figure.supylabel(f"density, {len(values):,} draws", fontsize=10)
        figure.legend(
            *axes.flat[int(np.argmax(resolved))].get_legend_handles_labels(),
            loc="outside lower right",
            ncols=2,
            frameon=False,
            fontsize=9,
        )
    return figure


def correlations(every):
    """Draws correlation matrices of first kernels, a column for each run.

    Args:
        every: dictionary from names of runs to `posterior_draws.Draws`.

    Returns:
        A figure.
    """
    width = 4.0 * len(every) + 0.9
    with pyplot.rc_context(_STYLE):
        figure, axes = pyplot.subplots(
            2, len(every), figsize=(width, 8.2), squeeze=False
        )
        for column, (name, draws) in zip(axes.T, every.items()):
            matrix = posterior_measures.correlations(draws.kernel)
            by_filter = np.argsort(
                np.arange(len(matrix)) % draws.num_filters, kind="stable"
            )
            for axis, order in zip(column, (slice(None), by_filter)):
                bbh.plots.weight_correlations(matrix[order][:, order], axis)
            column[0].set_title(name)
            column[0].set_xlabel("weight, in the paper's order", fontsize=9)
            column[1].set_xlabel("weight, filter by filter", fontsize=9)
        for axis in axes.flat:
            axis.set_ylabel("")
            axis.tick_params(labelsize=8)
        figure.colorbar(
            axes.flat[0].images[0],
            ax=axes,
            label="correlation",
            ticks=np.linspace(-1, 1, 5),
            shrink=0.6,
            aspect=30,
        )
    return figure


def spreads(every, configs, priors):
    """Draws the standard deviations of all weights.

    Args:
        every: see `correlations`.
        configs: the runs' configurations, in the same order.
        priors: standard deviations of the priors, each once.

    Returns:
        A figure.
    """
    positive = {name: draws.std[draws.std > 0] for name, draws in every.items()}
    # A few weights far out would squeeze the rest.
    lowest, highest = np.log10(
        [
            min(np.quantile(std, 0.0005) for std in positive.values()) / 2,
            max(std.max() for std in positive.values()) * 2,
        ]
    )
    bins = np.logspace(lowest, highest, 80)
    with pyplot.rc_context(_STYLE):
        figure, axis = pyplot.subplots(figsize=(7.5, 3.6))
        seen = {}
        for (name, std), config in zip(positive.items(), configs):
            color = paper_tables.color_of(config)
            number = seen[color] = seen.get(color, -1) + 1
            style = {
                "color": color,
                "linestyle": _LINES[number % len(_LINES)],
            }
            share = np.full(len(std), 100 / len(every[name].std))
            axis.hist(
                np.maximum(std, bins[0]),
                bins,
                weights=share,
                histtype="step",
                linewidth=1.6,
                label=f"{name}: median {np.median(every[name].std):.2g}",
                **style,
            )
        for std in priors:
            axis.axvline(std, color="0.7", linewidth=1, zorder=0)
        # Priors are near each other, beside the spread of weights.
        if priors:
            axis.text(
                priors[0],
                1.01,
                "prior" if len(priors) == 1 else "priors",
                color="0.4",
                fontsize=9,
                ha="center",
                transform=axis.get_xaxis_transform(),
            )
        axis.set(
            xscale="log",
            xlim=(bins[0], max(bins[-1], 2.0 * max(priors, default=0.0))),
            xlabel="standard deviation of a weight over draws",
            ylabel="share of weights, %",
        )
        legends.outside(figure, *axis.get_legend_handles_labels())
    return figure

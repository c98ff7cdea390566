"""Figure 3 of `experiments.dwp_features`, and its tables."""

import numpy as np
from matplotlib import pyplot

from experiments.dwp import run_folder
from experiments.dwp import settings
from experiments.dwp import summaries
from experiments.papers import deep_weight_prior as paper
from experiments.reporting import exhibit
from experiments.reporting import figures

# Okabe and Ito's colours.
COLORS = {
    "filters": "#009E73",
    "samples": "#0072B2",
    "means": "#56B4E9",
    "xavier": "#D55E00",
}
# What the paper's curves are beside: its "dwp" was the decoder's means.
PAPERS = {"filters": "filters", "means": "dwp", "xavier": "xavier"}

# Caption of the table, title and what the layers do, by what trains.
_WORDS = {
    "dense": (
        "with fixed convolutions",
        "Features of fixed convolutions",
        "convolutions stay at their initial kernels, biases at 0; {features}; "
        "the dense layers train",
    ),
    "all": (
        "with convolutions that train too",
        "Convolutions that train, beside those that are fixed",
        "convolutions train too, from their initial kernels, biases from 0; "
        "nothing is standardised; all layers train",
    ),
}
_NORMALIZED = {
    "each": "each feature is standardised",
    "all": "features are divided by their standard deviation, one number",
}


def write(folder, config, found, command):
    """Writes the exhibit of all runs of a folder, and prints its tables.

    Args:
        folder: a `pathlib.Path`.
        config: a `settings.FeaturesConfig`.
        found: records of runs.
        command: what was typed.
    """
    cells = {}
    for record in found:
        run = record["run"]
        key = run["initialisation"], run["scale"]
        cells.setdefault(key, {})[run["run"]] = record["found"]["accuracy"]
    scales = sorted({scale for _, scale in cells})
    caption, title, what = _WORDS[config.trains]
    heading = ["start", *(f"k = {_fraction(scale)}" for scale in scales)]
    shown = [
        exhibit.Table(
            f"Test accuracy {caption}; mean ± standard deviation over runs, "
            "and how many there are.",
            heading,
            _accuracies(config, cells, scales),
        ),
        exhibit.Table(
            "Accuracy less that from Xavier's initialisation, in points; mean "
            "± standard error over the runs that both have.",
            heading,
            [
                [
                    f"{settings.INITIALISATIONS[how]} less Xavier",
                    *(
                        summaries.difference(
                            cells.get((how, scale), {}),
                            cells.get(("xavier", scale), {}),
                            digits=2,
                        )
                        for scale in scales
                    ),
                ]
                for how in COLORS
                if how != "xavier" and any(how == key for key, _ in cells)
            ],
        ),
    ]
    shown = [table for table in shown if table.rows]
    _draw(config, cells, scales, folder / "features.png")
    seconds = np.mean([record["found"]["seconds"] for record in found])
    images = ""
    if config.num_train is not None:
        images = f", the first {config.num_train:,} training images"
    exhibit.write(
        folder,
        f"{title}: {config.dataset} (Figure 3)",
        [
            exhibit.Figure(
                "features.png",
                "Test accuracy against the factor k on the numbers of "
                "filters; bars: standard deviation over runs. Dashed, where "
                "there is one, the paper's curve of that colour.",
            )
        ],
        shown,
        [
            f"{config.dataset}{images}: "
            f"{what.format(features=_NORMALIZED[config.normalization])} for "
            f"{config.epochs} epochs of Adam, a rate that falls linearly from "
            f"{config.learning_rate:g} to 0, batches of {config.batch_size}.",
            f"A run took {seconds:.0f} seconds on average.",
            *run_folder.commits(found),
        ],
        command,
    )
    exhibit.show(folder)


def _accuracies(config, cells, scales):
    printed = paper.FEATURES.get(config.dataset, {})
    lines = []
    for how in COLORS:
        row = [cells.get((how, scale), {}) for scale in scales]
        if not any(row):
            continue
        texts = [summaries.cell(x, 4) for x in row]
        lines.append([settings.INITIALISATIONS[how], *texts])
        theirs = printed.get(PAPERS.get(how))
        if theirs:
            values = [theirs.get(scale) for scale in scales]
            texts = ["" if x is None else f"{x:.3f}" for x in values]
            lines.append([f"paper, {PAPERS[how]}", *texts])
    return lines


def _draw(config, cells, scales, path):
    printed = paper.FEATURES.get(config.dataset, {})
    with pyplot.rc_context(figures.STYLE):
        figure, axis = pyplot.subplots(figsize=(5.4, 3.8))
        for how, color in COLORS.items():
            found = {
                scale: list(cells[how, scale].values())
                for scale in scales
                if (how, scale) in cells
            }
            if not found:
                continue
            axis.errorbar(
                list(found),
                [np.mean(x) for x in found.values()],
                [np.std(x, ddof=len(x) > 1) for x in found.values()],
                color=color,
                marker="o",
                markersize=4,
                linewidth=1.3,
                capsize=2,
                label=settings.INITIALISATIONS[how],
            )
            theirs = printed.get(PAPERS.get(how))
            if theirs:
                axis.plot(
                    list(theirs),
                    list(theirs.values()),
                    color=color,
                    linestyle="--",
                    linewidth=1.0,
                )
        axis.set(xscale="log", xlabel="k", ylabel="test accuracy")
        ticks = sorted({*scales, *(k for x in printed.values() for k in x)})
        axis.set_xticks(ticks, [_fraction(scale) for scale in ticks])
        axis.minorticks_off()
        axis.legend(fontsize=8, frameon=False)
    figures.save(figure, path)


def _fraction(scale):
    parts = 1 / scale
    if parts > 1 and abs(parts - round(parts)) < 1e-9:
        return f"1/{round(parts)}"
    return f"{scale:g}"

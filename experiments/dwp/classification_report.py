"""Figures 2 and 5 of `experiments.dwp_classification`, and its tables."""

import math

import numpy as np
from matplotlib import pyplot

from experiments.dwp import run_folder
from experiments.dwp import settings
from experiments.dwp import summaries
from experiments.papers import deep_weight_prior as paper
from experiments.reporting import exhibit
from experiments.reporting import figures
from experiments.reporting import legends

# Okabe and Ito's colours.
_COLORS = {
    "dwp": "#0072B2",
    "log_uniform": "#E69F00",
    "normal": "#D55E00",
    "kernel_normal": "#009E73",
    "kernel_flow": "#CC79A7",
    "deterministic": "#000000",
    "log_uniform_additive": "#F0E442",
    "dwp_importance": "#56B4E9",
    "dwp_hypernet": "#999999",
}
_WITH_REVERSE = {"dwp", "dwp_importance"}
# Priors with a density of slices.
_OVER_SLICES = {*_WITH_REVERSE, "kernel_normal", "kernel_flow"}


def write(folder, config, found, command):
    """Writes the exhibit of all runs of a folder, and prints its tables.

    Args:
        folder: a `pathlib.Path`.
        config: a `settings.ClassificationConfig`.
        found: records of runs.
        command: what was typed.
    """
    cells = _cells(found)
    sizes = sorted({size for _, _, size, _ in cells})
    accuracies = _accuracies(config, cells, sizes)
    differences = _differences(cells, sizes)
    shown = [
        exhibit.Table(
            "Test accuracy; mean ± standard deviation over the splits, and how "
            "many there are.",
            *accuracies,
        )
    ]
    if differences[1]:
        shown.append(
            exhibit.Table(
                "Accuracy of the deep weight prior less that of another prior "
                "from the same initialisation, in points; mean ± standard "
                "error over the splits that both have.",
                *differences,
            )
        )
    _draw(config, cells, sizes, folder / "accuracy.png")
    exhibit.write(
        folder,
        "The deep weight prior with few examples: "
        f"{config.dataset} (Figures 2 and 5)",
        [
            exhibit.Figure(
                "accuracy.png",
                "Test accuracy against training examples; bars: standard "
                "deviation over splits. Dashed, where there is one, the "
                "paper's curve of that colour.",
            )
        ],
        shown,
        _notes(config, found),
        command,
    )
    exhibit.show(folder)


def _cells(found):
    """Groups runs: (steps, initialisation, examples, prior) -> by split."""
    cells = {}
    for record in found:
        run = record["run"]
        key = (
            run["num_steps"],
            run["initialisation"],
            run["num_examples"],
            run["prior"],
        )
        cells.setdefault(key, {})[run["split"]] = record["found"]["accuracy"]
    return cells


def _accuracies(config, cells, sizes):
    printed = paper.CLASSIFICATION.get(config.dataset, {})
    lines = []
    for steps, how in sorted({key[:2] for key in cells}):
        for kind, name in settings.PRIORS.items():
            row = [cells.get((steps, how, size, kind)) for size in sizes]
            if not any(row):
                continue
            where = f"{settings.INITIALISATIONS[how]}, {steps:,} steps"
            lines.append([name, where, *(summaries.cell(x or {}) for x in row)])
            if paper.CLASSIFICATION_STARTS.get(kind) == how and kind in printed:
                values = [printed[kind].get(size) for size in sizes]
                lines.append(
                    [
                        "paper",
                        settings.INITIALISATIONS[how],
                        *("" if x is None else f"{x:.3f}" for x in values),
                    ]
                )
    return ["prior", "start", *(f"{size} examples" for size in sizes)], lines


def _differences(cells, sizes):
    lines = []
    for steps, how in sorted({key[:2] for key in cells}):
        for kind, name in settings.PRIORS.items():
            if kind == "dwp":
                continue
            row = [
                summaries.difference(
                    cells.get((steps, how, size, "dwp"), {}),
                    cells.get((steps, how, size, kind), {}),
                )
                for size in sizes
            ]
            if any(row):
                where = f"{settings.INITIALISATIONS[how]}, {steps:,} steps"
                lines.append([f"less {name}", where, *row])
    return ["", "start", *(f"{size} examples" for size in sizes)], lines


def _draw(config, cells, sizes, path):
    panels = sorted({key[:2] for key in cells})
    printed = paper.CLASSIFICATION.get(config.dataset, {})
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            1,
            len(panels),
            figsize=(max(5.0, 4.2 * len(panels)), 3.8),
            sharey=True,
            squeeze=False,
        )
        for axis, (steps, how) in zip(axes[0], panels):
            for place, (kind, name) in enumerate(settings.PRIORS.items()):
                found = {
                    size: summaries.finite(
                        cells.get((steps, how, size, kind), {})
                    )
                    for size in sizes
                }
                found = {size: some for size, some in found.items() if some}
                if not found:
                    continue
                spread = [np.std(x, ddof=len(x) > 1) for x in found.values()]
                axis.errorbar(
                    # Side by side, so that bars do not hide each other.
                    [size * 1.02 ** (place - 3) for size in found],
                    [np.mean(x) for x in found.values()],
                    spread,
                    color=_COLORS[kind],
                    marker="o",
                    markersize=4,
                    linewidth=1.3,
                    capsize=2,
                    label=name,
                )
                if paper.CLASSIFICATION_STARTS.get(kind) == how:
                    theirs = printed.get(kind, {})
                    axis.plot(
                        list(theirs),
                        list(theirs.values()),
                        color=_COLORS[kind],
                        linestyle="--",
                        linewidth=1.0,
                    )
            axis.set(
                xscale="log",
                xlabel="training examples",
                title=f"{settings.INITIALISATIONS[how]}, {steps:,} steps",
            )
            ticks = [*sizes, *(s for p in printed.values() for s in p)]
            ticks = sorted(set(ticks))
            axis.set_xticks(ticks, [str(tick) for tick in ticks])
            axis.minorticks_off()
        axes[0, 0].set_ylabel("test accuracy")
        handles = {}
        for axis in axes[0]:
            shown, labels = axis.get_legend_handles_labels()
            handles.update(zip(labels, shown))
        legends.outside(figure, list(handles.values()), list(handles))
    figures.save(figure, path)


def _notes(config, found):
    kinds = {record["run"]["prior"] for record in found}
    test = "all"
    if config.num_test is not None:
        test = f"the first {config.num_test:,}"
    seconds = np.mean([record["found"]["seconds"] for record in found])
    slices = ""
    if kinds & _OVER_SLICES:
        slices = f"; at most {config.num_slices} slices of a layer a step"
    return [
        f"{config.dataset}, preset {config.preset}: Adam, a rate that falls "
        f"linearly from {config.learning_rate:g} to 0; batches of at most "
        f"{config.batch_size}{slices}.",
        *_of_priors(config, kinds),
        *(
            [f"The KL counts {config.kl_scale:g} times: a tempered posterior."]
            if config.kl_scale != 1
            else []
        ),
        f"Accuracy on {test} test images, the mean of "
        f"{config.num_prediction_samples} draws.",
        f"A training took {seconds:.0f} seconds on average.",
        *run_folder.commits(found),
    ]


def _of_priors(config, kinds):
    """Says how the classifiers of the priors that there are differ."""
    said = []
    normals = kinds - {"deterministic", "dwp_hypernet"}
    if normals:
        start = ""
        if normals - {"log_uniform"}:
            start = (
                f" whose log-variances start at {config.initial_log_variance:g}"
            )
        said.append(
            f"Kernels are independent normals{start}, biases and dense layers "
            "point estimates; local reparameterisation."
        )
    if kinds & _WITH_REVERSE:
        how = (
            "stays as it was"
            if config.preset == "released_code"
            else "trains with the posterior"
        )
        said.append(f"The reverse model {how}.")
    if "dwp_hypernet" in kinds:
        std = math.exp(0.5 * config.initial_log_variance)
        said.append(
            f"'{settings.PRIORS['dwp_hypernet']}': kernels are those of a "
            "hypernetwork for each layer (64, 256, 16 units, 8 noise "
            f"variables), which starts around the others' with a standard "
            f"deviation of {std:.2g}, biases and dense layers point "
            "estimates; a draw serves a whole batch, without local "
            "reparameterisation. The KL is KernelKL(min_distance=1e-4) of 5 "
            "samples, the likelihood under 5 draws; there is no reverse model."
        )
    if kinds & {"log_uniform", "log_uniform_additive"}:
        said.append(
            "With the log-uniform prior variances are alpha times the squares "
            "of the means, alpha at most 1 and 0.12 at first, as in the "
            "authors' code; 'variances apart' is with those of the others. "
            "Its KL is Kingma's cubic."
        )
    if "deterministic" in kinds:
        also = " and biases" if config.preset == "released_code" else ""
        said.append(
            f"Without a prior: L2 of {config.l2:g} on kernels{also}, one "
            "network."
        )
    return said

"""Figures 4 and 7 of `experiments.dwp_convergence`, and their table."""

import numpy as np
from matplotlib import pyplot

from experiments import arrays
from experiments.dwp import features_report
from experiments.dwp import run_folder
from experiments.dwp import settings
from experiments.dwp import summaries
from experiments.papers import deep_weight_prior as paper
from experiments.reporting import exhibit
from experiments.reporting import figures

_DIGITS = {"classifier": 3, "autoencoder": 1}


def samples_path(folder, run):
    """Returns where the images of an autoencoder's run are."""
    name = f"{run['initialisation']}_{run['num_steps']}_{run['run']}.npz"
    return folder / "samples" / name


def write(folder, config, found, command):
    """Writes the exhibit of all runs of a folder, and prints its tables.

    Args:
        folder: a `pathlib.Path`.
        config: a `settings.ConvergenceConfig`.
        found: records of runs.
        command: what was typed.
    """
    curves = {}
    for record in found:
        run, values = record["run"], record["found"]
        of_run = dict(zip(values["steps"], values["values"]))
        # One that was made again with more steps is the same run: its first
        # steps are those of the shorter one.
        curves.setdefault(run["network"], {}).setdefault(
            run["initialisation"], {}
        ).setdefault(run["run"], {}).update(of_run)
    shown, pictures = [], []
    for network, by_start in curves.items():
        shown.append(_table(config, network, by_start))
    _draw(config, curves, folder / "convergence.png")
    pictures.append(
        exhibit.Figure(
            "convergence.png",
            "What a network reaches on test images against steps, the mean of "
            "the runs. Crosses: what was read off the paper's curves.",
        )
    )
    if "autoencoder" in curves and _draw_samples(found, folder):
        pictures.append(
            exhibit.Figure(
                "samples.png",
                "Images of the same z as the autoencoder trains, by what it "
                "started from (Figure 7).",
            )
        )
    images = ""
    if config.num_test is not None:
        images = f"; the first {config.num_test:,} test images"
    exhibit.write(
        folder,
        f"Convergence by initialisation: {config.dataset} (Figures 4 and 7)",
        pictures,
        shown,
        [
            f"{config.dataset}: Adam {config.learning_rate:g}, batches of "
            f"{config.batch_size}; all weights train{images}.",
            *run_folder.commits(found),
        ],
        command,
    )
    exhibit.show(folder)


def _table(config, network, by_start):
    steps = sorted(
        {
            step
            for by_run in by_start.values()
            for curve in by_run.values()
            for step in curve
        }
    )
    printed = paper.CONVERGENCE.get(f"{config.dataset} {network}", {})
    digits, lines = _DIGITS[network], []
    for how in features_report.COLORS:
        by_run = by_start.get(how)
        if not by_run:
            continue
        cells = [
            {run: x[step] for run, x in by_run.items() if step in x}
            for step in steps
        ]
        texts = [summaries.cell(cell, digits) for cell in cells]
        lines.append([settings.INITIALISATIONS[how], *texts])
        theirs = printed.get(features_report.PAPERS.get(how))
        if theirs:
            values = [theirs.get(step) for step in steps]
            texts = ["" if x is None else f"{x:.{digits}f}" for x in values]
            lines.append(
                [
                    f"paper, {features_report.PAPERS[how]}",
                    *(text.replace("-", "−") for text in texts),
                ]
            )
    return exhibit.Table(
        f"{network.capitalize()}: {settings.CONVERGING[network]}; mean ± "
        "standard deviation over runs, and how many there are.",
        ["start", *(f"{step:,} steps" for step in steps)],
        lines,
    )


def _draw(config, curves, path):
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            1, len(curves), figsize=(4.6 * len(curves), 3.6), squeeze=False
        )
        for axis, (network, by_start) in zip(axes[0], curves.items()):
            printed = paper.CONVERGENCE.get(f"{config.dataset} {network}", {})
            for how, color in features_report.COLORS.items():
                by_run = by_start.get(how)
                if not by_run:
                    continue
                steps = sorted(set.intersection(*map(set, by_run.values())))
                each = [[x[s] for s in steps] for x in by_run.values()]
                axis.plot(
                    steps,
                    np.mean(each, axis=0),
                    color=color,
                    marker="o",
                    markersize=3,
                    linewidth=1.3,
                    label=settings.INITIALISATIONS[how],
                )
                theirs = printed.get(features_report.PAPERS.get(how), {})
                axis.plot(list(theirs), list(theirs.values()), "x", color=color)
            axis.set(
                xlabel="steps",
                ylabel=settings.CONVERGING[network],
                title=network,
            )
            axis.legend(fontsize=8, frameon=False)
    figures.save(figure, path)


def _draw_samples(found, folder):
    """Draws images of each start's first run; whether there are any."""
    panels = {}
    runs = [record["run"] for record in found]
    for run in sorted(runs, key=lambda run: (run["run"], -run["num_steps"])):
        path = samples_path(folder, run)
        if run["network"] == "autoencoder" and path.exists():
            some = arrays.read(path)
            panels.setdefault(
                run["initialisation"], (some["steps"], some["samples"])
            )
    if not panels:
        return False
    most = max(len(steps) for steps, _ in panels.values())
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            len(panels),
            most,
            figsize=(1.5 * most, 1.2 * len(panels) + 0.3),
            squeeze=False,
        )
        for axis in axes.flat:
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        for row, (how, (steps, samples)) in zip(axes, panels.items()):
            row[0].set_ylabel(settings.INITIALISATIONS[how], fontsize=8)
            for axis, step, images in zip(row, steps, samples):
                # Two rows of three.
                count = len(images) // 2
                mosaic = np.concatenate(
                    [np.concatenate(list(images[:count]), 1)]
                    + [np.concatenate(list(images[count:]), 1)]
                )
                axis.imshow(mosaic, cmap="gray", vmin=0, vmax=255)
                axis.set_title(f"{step:,} steps", fontsize=8)
    figures.save(figure, folder / "samples.png")
    return True

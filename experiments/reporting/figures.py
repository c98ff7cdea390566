"""Figures of an experiment, in one style."""

import io
import pathlib

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot

from experiments import arrays
from experiments import files
from experiments import lazy
from experiments import paper_tables
from experiments.reporting import legends
from experiments.reporting import tables

bbh = lazy.import_module("bbh_tf")

# No row has it.
_OUTLIERS = "#F0E442"
_METRICS = "metrics.jsonl"
_PREDICTIONS = "predictions.npz"
STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 110,
}


def learning_curves(results, folder):
    """Draws training negative log-likelihood and accuracy by epoch.

    Args:
        results: list of result dictionaries.
        folder: the experiment's folder, a path.

    Returns:
        A figure.
    """
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6))
        labelled = set()
        for result in results:
            name = paper_tables.row_of(result["config"]).name
            history = _history(result, folder)
            epochs = [line["epoch"] for line in history]
            label = None if name in labelled else name
            labelled.add(name)
            for axis, key, scale in zip(axes, ("nll", "accuracy"), (1, 100)):
                axis.plot(
                    epochs,
                    [scale * line[key] for line in history],
                    color=paper_tables.color_of(result["config"]),
                    alpha=0.7,
                    linewidth=1.2,
                    marker="." if len(epochs) < 3 else None,
                    label=label,
                )
        axes[0].set(
            xlabel="epoch",
            ylabel="training NLL, nats per example",
            yscale="log",
        )
        axes[1].set(xlabel="epoch", ylabel="training accuracy, %")
        legends.outside(figure, *axes[0].get_legend_handles_labels())
    return figure


def entropy_histograms(results, folder):
    """Draws the entropies of test images and outliers, a panel a row."""

    def draw(axis, saved, color):
        bbh.plots.entropy_histograms(
            {
                name: np.concatenate([s[key] for s in saved])
                for name, key in (
                    ("test images", "test_entropy"),
                    (results[0]["outliers"], "outlier_entropy"),
                )
            },
            saved[0]["test_probabilities"].shape[1],
            axis,
            [color, _OUTLIERS],
        )

    return row_panels(results, folder, draw)


def row_panels(results, folder, draw):
    """Draws the predictions of each row into a panel of its own.

    Args:
        results: list of result dictionaries.
        folder: the experiment's folder, a path.
        draw: function of the axes, the list of the row's saved predictions, a
            seed each, and its colour.

    Returns:
        A figure.
    """
    rows = tables.by_row(results)
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(
            1,
            len(rows),
            figsize=(3.2 * len(rows), 3),
            squeeze=False,
            sharey=True,
        )
        for axis, chosen in zip(axes[0], rows):
            config = chosen[0]["config"]
            saved = [predictions(result, folder) for result in chosen]
            draw(axis, saved, paper_tables.color_of(config))
            axis.set_title(paper_tables.row_of(config).name)
            axis.label_outer()
    return figure


def examples(result, data, folder, title):
    """Shows images with the prediction under each.

    The rows: test images of lowest and of highest entropy, outliers of lowest
    and of highest entropy.

    Args:
        result: a result dictionary.
        data: the `bbh_tf.datasets.ImageData` it was made with.
        folder: the experiment's folder, a path.
        title: title of the figure.

    Returns:
        A figure.
    """
    saved = predictions(result, folder)
    per_row = 8
    rows = []
    for name, images, key in (
        ("test images", data.test_images, "test"),
        (data.outlier_name, data.outlier_images, "outlier"),
    ):
        order = np.argsort(saved[f"{key}_entropy"], kind="stable")
        rows.append((f"surest\n{name}", images, key, order[:per_row]))
        rows.append((f"least sure\n{name}", images, key, order[-per_row:]))
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(
            len(rows), per_row, figsize=(9, 5.6), squeeze=False
        )
        for line, (name, images, key, chosen) in zip(axes, rows):
            for axis, index in zip(line, chosen):
                probabilities = saved[f"{key}_probabilities"][index]
                best = int(np.argmax(probabilities))
                # Of a single channel, ink is dark.
                axis.imshow(np.squeeze(images[index]), cmap="gray_r")
                axis.set(xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
                text = f"{best}: {100 * probabilities[best]:.0f} %"
                wrong = key == "test" and best != data.test_labels[index]
                if wrong:
                    text += f" (is {data.test_labels[index]})"
                entropy = saved[f"{key}_entropy"][index]
                axis.set_xlabel(
                    f"{text}\n{entropy:.2f} nats",
                    fontsize=8,
                    color="#D00000" if wrong else "black",
                )
            for axis in line[len(chosen) :]:
                axis.set_axis_off()
            line[0].set_ylabel(name, fontsize=8)
        figure.suptitle(title)
    return figure


def predictions(result, folder):
    """Loads the saved predictions of a run, a dictionary of arrays."""
    return arrays.read(_run_folder(result, folder) / _PREDICTIONS)


def as_png(figure):
    """Returns a figure as the bytes of a PNG, and closes it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    pyplot.close(figure)
    return buffer.getvalue()


def save(figure, path):
    """Writes a figure as a PNG, whole or not at all, and closes it.

    Returns:
        The file's name.
    """
    with files.replacing(path) as temporary:
        temporary.write_bytes(as_png(figure))
    return path.name


def has_history(results, folder):
    """Whether the metrics of all runs are there."""
    return _have_all(results, folder, _METRICS)


def has_predictions(results, folder, *names):
    """Whether the predictions of all runs are there, and have some arrays."""
    if not _have_all(results, folder, _PREDICTIONS):
        return False
    if not names:
        return True
    for result in results:
        # Only the list of what is in it is read.
        saved = arrays.names(_run_folder(result, folder) / _PREDICTIONS)
        if not set(names) <= set(saved):
            return False
    return True


def _have_all(results, folder, name):
    return all(
        (_run_folder(result, folder) / name).exists() for result in results
    )


def _history(result, folder):
    return files.read_json_lines(_run_folder(result, folder) / _METRICS)


def _run_folder(result, folder):
    name = paper_tables.run_name(result["config"])
    folder = pathlib.Path(folder)
    # Or in the folder of a task of its own, one of a job array.
    below = [] if (folder / name).exists() else sorted(folder.glob(f"*/{name}"))
    return below[0] if below else folder / name

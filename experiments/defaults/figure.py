"""NLL less the plain network's, a panel for each data set."""

import numpy as np
from matplotlib import pyplot

from experiments.defaults import methods
from experiments.defaults import problems
from experiments.defaults import table
from experiments.methods import METHODS
from experiments.reporting import figures

CAPTION = (
    "NLL on the test set less the plain network's on the same split, nats per "
    "example: each split, and the mean with its standard error. Left of 0 is "
    "better than the network as it was."
)


def write(found, folder):
    """Draws and writes `one_call.png`.

    Args:
        found: see `table.values`.
        folder: a `pathlib.Path`.

    Returns:
        The file's name; None where there is nothing to compare.
    """
    compared = {
        dataset: {
            method: values
            for method in methods.TRAINED
            if (values := _differences(found, dataset, method))
        }
        for dataset in problems.DATASETS
    }
    compared = {name: each for name, each in compared.items() if each}
    if not compared:
        return None
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            1,
            len(compared),
            figsize=(1.4 + 2.9 * len(compared), 2.9),
            squeeze=False,
            sharey=True,
        )
        order = list(reversed(methods.TRAINED))
        for axis, (dataset, each) in zip(axes[0], compared.items()):
            axis.axvline(0, color="0.6", linewidth=0.8)
            for method, values in each.items():
                place = order.index(method)
                color = METHODS[method].color
                axis.plot(
                    values, [place] * len(values), "o", color=color, alpha=0.3
                )
                error = (
                    np.std(values, ddof=1) / np.sqrt(len(values))
                    if len(values) > 1
                    else 0.0
                )
                axis.errorbar(
                    np.mean(values),
                    place,
                    xerr=error,
                    fmt="D",
                    color=color,
                    capsize=3,
                )
            axis.set(
                title=problems.DATASETS[dataset].title,
                xlabel="NLL minus the plain network's, nats",
                yticks=range(len(order)),
                ylim=(-0.6, len(order) - 0.4),
            )
        axes[0][0].set_yticklabels([methods.TITLES[name] for name in order])
        path = folder / "one_call.png"
        figures.save(figure, path)
    return path.name


def _differences(found, dataset, method):
    return list(table.paired(found, dataset, method, "nll").values())

"""How far the sureness of runs' predictions can be trusted, in figures."""

import numpy as np
from matplotlib import pyplot

from experiments import lazy
from experiments import paper_tables
from experiments.reporting import figures
from experiments.reporting import tables

bbh = lazy.import_module("bbh_tf")

_NUM_BINS = 15


def have_labels(results, folder):
    """Whether runs have kept their predictions, and the test set's labels.

    Args:
        results: list of result dictionaries.
        folder: the experiment's folder, a path.
    """
    return figures.has_predictions(results, folder) and all(
        "test_labels" in figures.predictions(result, folder)
        for result in results
    )


def risk_and_coverage(results, folder):
    """Draws errors against how much is answered, the surest first.

    Args:
        results: list of result dictionaries.
        folder: the experiment's folder, a path.

    Returns:
        A figure: left the risk, the share of errors among what is answered;
        right the generalised risk, their share of all. One line a seed.
    """
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.2))
        labelled = set()
        for result in results:
            probabilities, labels = _predicted(result, folder)
            curve = bbh.uncertainty.risk_coverage(
                probabilities.argmax(axis=-1) != labels,
                1 - probabilities.max(axis=-1),
            )
            name = paper_tables.row_of(result["config"]).name
            for axis, generalized in zip(axes, (False, True)):
                bbh.plots.risk_coverage(
                    curve,
                    axis,
                    generalized,
                    paper_tables.color_of(result["config"]),
                    None if name in labelled else name,
                )
            labelled.add(name)
        axes[0].legend(frameon=False)
    return figure


def reliability(results, folder):
    """Draws reliability diagrams of the test set, a panel a row.

    Args:
        results: list of result dictionaries.
        folder: the experiment's folder, a path.

    Returns:
        A figure; the seeds of a row are taken together.
    """
    rows = tables.by_row(results)
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            1,
            len(rows),
            figsize=(3.2 * len(rows), 3),
            squeeze=False,
            sharey=True,
        )
        for axis, chosen in zip(axes[0], rows):
            pairs = [_predicted(result, folder) for result in chosen]
            probabilities, labels = map(np.concatenate, zip(*pairs))
            config = chosen[0]["config"]
            bbh.plots.reliability(
                bbh.uncertainty.reliability_diagram(
                    probabilities, labels, _NUM_BINS
                ),
                axis,
                paper_tables.color_of(config),
            )
            axis.set_title(paper_tables.row_of(config).name)
            axis.label_outer()
    return figure


def _predicted(result, folder):
    """Returns a run's probabilities of the test set, and its labels."""
    saved = figures.predictions(result, folder)
    return saved["test_probabilities"], saved["test_labels"]

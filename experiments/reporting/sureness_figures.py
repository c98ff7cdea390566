"""How far the sureness of runs' predictions can be trusted, in figures."""

import numpy as np
from matplotlib import pyplot

from experiments import lazy
from experiments import paper_tables
from experiments.reporting import figures
from experiments.reporting import legends

bbh = lazy.import_module("bbh_tf")

_NUM_BINS = 15


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
        figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6))
        labelled = set()
        for result in results:
            saved = figures.predictions(result, folder)
            probabilities = saved["test_probabilities"]
            curve = bbh.uncertainty.risk_coverage(
                probabilities.argmax(axis=-1) != saved["test_labels"],
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
        legends.outside(figure, *axes[0].get_legend_handles_labels())
    return figure


def reliability(results, folder):
    """Draws reliability diagrams of the test set, a panel a row.

    Args:
        results: list of result dictionaries.
        folder: the experiment's folder, a path.

    Returns:
        A figure; the seeds of a row are taken together.
    """

    def draw(axis, saved, color):
        probabilities, labels = (
            np.concatenate([s[key] for s in saved])
            for key in ("test_probabilities", "test_labels")
        )
        bbh.plots.reliability(
            bbh.uncertainty.reliability_diagram(
                probabilities, labels, _NUM_BINS
            ),
            axis,
            color,
        )

    return figures.row_panels(results, folder, draw)

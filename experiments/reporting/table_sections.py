"""The parts of a page that show the runs of one table."""

from experiments.reporting import figures
from experiments.reporting import sureness_figures
from experiments.reporting import table_notes
from experiments.reporting import tables


def add(page, results, folder):
    """Adds the table, its notes, and the figures that files are there for.

    Args:
        page: an `html_page.HtmlPage`.
        results: list of result dictionaries of one table.
        folder: the experiment's folder, a path.
    """
    heading, *rows = tables.lines(results, "paper", "–")
    page.table(heading, rows)
    page.notes(table_notes.notes(results))
    if figures.has_history(results, folder):
        page.heading("Learning curves", 3)
        page.figure(
            figures.as_png(figures.learning_curves(results, folder)),
            "Training negative log-likelihood and accuracy of single draws of "
            "the weights, one line a seed. Where the KL counts, the likelihood "
            "is worse than MAP's: that is the price of the uncertainty.",
        )
    if figures.has_predictions(results, folder):
        page.heading("How sure", 3)
        page.figure(
            figures.as_png(figures.entropy_histograms(results, folder)),
            "Entropy of the mean prediction, all seeds together. Test images "
            "should lie to the left, outliers to the right; the right end is a "
            "uniform guess.",
        )
    if figures.has_predictions(results, folder, "test_labels"):
        page.figure(
            figures.as_png(sureness_figures.reliability(results, folder)),
            "Accuracy of the test images of a confidence, with 95 % intervals; "
            "grey, how many there are. On the diagonal a model is as often "
            "right as it is sure.",
        )
        page.figure(
            figures.as_png(sureness_figures.risk_and_coverage(results, folder)),
            "Errors where a model answers the surest test images only, by the "
            "highest probability: the share of what it answers (the area under "
            "it is AURC) and of all (AUGRC). One line a seed.",
        )

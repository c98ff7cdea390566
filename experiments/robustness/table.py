"""Accuracies under attack, as a table."""

from experiments import paper_tables
from experiments.errors import ExperimentError
from experiments.reporting import tables


def text(results):
    """Formats what `lines` says as a text."""
    return tables.aligned(lines(results))


def lines(results):
    """Sets out the accuracies of attacked runs, for each run and attack.

    Args:
        results: list of dictionaries as `experiments.mnist_adversarial`
            writes them, with equal settings.

    Returns:
        List of lists of texts, the heading first.

    Raises:
        ExperimentError: if settings differ.
    """
    for result in results:
        if result["settings"] != results[0]["settings"]:
            raise ExperimentError(
                "Expected curves of equal settings in one folder; got "
                f"{results[0]['settings']} and {result['settings']}."
            )
    epsilons = results[0]["settings"]["epsilons"]
    heading = "accuracy in %, by epsilon"
    rows = [[heading, *(f"{epsilon:g}" for epsilon in epsilons)]]
    for result in results:
        name = paper_tables.row_of(result["config"]).name
        for attack, curve in result["curves"].items():
            rows.append(
                [
                    f"{name}, seed {result['config']['seed']}, "
                    f"{attack.replace('_', ' ')}",
                    *(f"{100 * point['accuracy']:.1f}" for point in curve),
                ]
            )
    return rows

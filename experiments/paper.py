"""The tables of the paper, as data.

Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
arXiv:1711.01297. Error in per cent, areas normalised by the maximum entropy,
runtime in seconds on one Titan X.
"""

import typing


class Row(typing.NamedTuple):
    """One row of Tables 1 to 5."""

    error_percent: float
    in_auc: float
    outlier_auc: float
    seconds: float


MNIST_METHODS = {
    "map": Row(0.80, 0.99, 0.71, 710),
    "ensemble": Row(0.49, 0.99, 0.65, 2721),
    "bbb": Row(0.72, 0.97, 0.41, 2892),
    "dropout": Row(0.47, 0.99, 0.58, 1224),
    "mnf": Row(0.63, 0.99, 0.58, 21811),
    "bbh": Row(0.56, 0.97, 0.48, 11504),
}

METHOD_NAMES = {
    "map": "MAP",
    "bbb": "Bayes by Backprop",
    "bbh": "Bayes by Hypernet",
}

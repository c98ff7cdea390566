"""The tables of the paper, as data.

Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
arXiv:1711.01297. Error in per cent, areas normalised by the maximum entropy,
runtime in seconds on one Titan X.
"""

import typing


class Figures(typing.NamedTuple):
    """What the paper prints in a row of Tables 1 to 5."""

    error_percent: float
    in_auc: float
    outlier_auc: float
    seconds: float


class Row(typing.NamedTuple):
    """A row of a table.

    Attributes:
        name: what stands before it.
        figures: the paper's, or None for a row of our own.
    """

    name: str
    figures: Figures | None


class Table(typing.NamedTuple):
    """A table.

    Attributes:
        title: what it is about, with the paper's number.
        data: what the paper's figures were taken on.
        datasets: data sets that the command takes, its default first.
        flag: the flag that chooses rows.
        rows: key of a row -> `Row`, in the paper's order.
    """

    title: str
    data: str
    datasets: tuple
    flag: str
    rows: dict


# What the attacked are trained on -> the figure, and the units of epsilon.
ATTACKS = {
    "MNIST": ("Figure 3", "pixels go from 0 to 1"),
    "CIFAR5": ("Figure 4", "images have standard deviation 1"),
}
_MNIST = ("MNIST", ("digits", "mnist"))
_SHARED_1 = Figures(0.73, 0.98, 0.54, 11361)

TABLES = {
    "mnist_methods": Table(
        "Methods (Table 3)",
        *_MNIST,
        "methods",
        {
            "map": Row("MAP", Figures(0.80, 0.99, 0.71, 710)),
            "ensemble": Row("Deep ensemble", Figures(0.49, 0.99, 0.65, 2721)),
            "bbb": Row("Bayes by Backprop", Figures(0.72, 0.97, 0.41, 2892)),
            "dropout": Row("MC dropout", Figures(0.47, 0.99, 0.58, 1224)),
            "mnf": Row("MNF", Figures(0.63, 0.99, 0.58, 21811)),
            "bbh": Row("Bayes by Hypernet", Figures(0.56, 0.97, 0.48, 11504)),
        },
    ),
    "mnist_architectures": Table(
        "Hypernetworks (Table 1)",
        *_MNIST,
        "architectures",
        {
            "single": Row("Single G", Figures(1.1, 0.89, 0.48, 2961)),
            "sliced": Row("Sliced layer-wise", Figures(1.7, 0.93, 0.55, 7119)),
            "layerwise": Row("Layer-wise", _SHARED_1),
        },
    ),
    "mnist_noise": Table(
        "Noise (Table 2)",
        *_MNIST,
        "noises",
        {
            "shared_1": Row("Shared, d = 1", _SHARED_1),
            "independent_1": Row(
                "Independent, d = 1", Figures(0.56, 0.97, 0.48, 11504)
            ),
            "shared_8": Row("Shared, d = 8", Figures(0.56, 0.98, 0.49, 11314)),
            "independent_8": Row(
                "Independent, d = 8", Figures(0.64, 0.97, 0.44, 11268)
            ),
        },
    ),
    "mnist_divergences": Table(
        "KL estimates, on Bayes by Backprop (Table 5)",
        *_MNIST,
        "divergences",
        {
            "analytic": Row("Closed form", Figures(0.72, 0.97, 0.41, 2892)),
            "adversarial": Row("Adversarial", Figures(0.97, 1.00, 0.95, 22187)),
            "kernel": Row(
                "Kernel, per weight", Figures(0.76, 0.98, 0.46, 5707)
            ),
            "full_kernel": Row("Kernel, full", Figures(0.88, 0.99, 0.58, 4644)),
            "entropy": Row("Nearest-neighbour entropy, exact prior", None),
        },
    ),
    "cifar5_methods": Table(
        "Methods on a ResNet-32 (Table 4)",
        "CIFAR5",
        ("cifar5",),
        "methods",
        {
            "map": Row("MAP", Figures(13.58, 0.83, 0.68, 5269)),
            "ensemble": Row("Deep ensemble", Figures(10.18, 0.77, 0.55, 51755)),
            "bbb": Row("Bayes by Backprop", Figures(13.78, 0.65, 0.44, 10562)),
            "dropout": Row("MC dropout", Figures(24.74, 0.46, 0.35, 6189)),
            "mnf": Row("MNF", Figures(12.82, 0.82, 0.62, 15743)),
            "bbh": Row("Bayes by Hypernet", Figures(13.62, 0.68, 0.51, 7896)),
        },
    ),
}


def place(config):
    """Returns the table and the row of a run.

    Args:
        config: a run's configuration, as its `config.json` has it.

    Returns:
        `(table, row)`: two keys.
    """
    # Runs of version 0.1 knew Table 3 only.
    table = config.get("table", "mnist_methods")
    return table, config.get("row", config["method"])


def run_name(config):
    """Returns `<row>/seed_<seed>`, a run's place in an output folder."""
    _, row = place(config)
    return f"{row}/seed_{config['seed']}"


def row_of(config):
    """Returns the `Row` of a run's configuration."""
    table, row = place(config)
    return TABLES[table].rows[row]


def data_of(config):
    """Returns what the paper's figures for a run's table were taken on."""
    return TABLES[place(config)[0]].data

"""The tables of the paper on Bayes by Hypernet, as data.

Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
arXiv:1711.01297. Error in per cent, areas normalised by the maximum entropy,
runtime in seconds; on what is not said, but its authors thank for a Titan X.
"""

from experiments.methods import METHODS
from experiments.papers.paper import Figures
from experiments.papers.paper import Row
from experiments.papers.paper import Table

# What the attacked are trained on -> the figure, and the units of epsilon.
ATTACKS = {
    "MNIST": ("Figure 3", "pixels go from 0 to 1"),
    "CIFAR5": ("Figure 4", "images have standard deviation 1"),
}
# (table, row) -> the row of another table that is the same run.
SAME_RUNS = {
    ("mnist_noise", "shared_1"): ("mnist_architectures", "layerwise"),
    ("mnist_noise", "independent_1"): ("mnist_methods", "bbh"),
    ("mnist_divergences", "analytic"): ("mnist_methods", "bbb"),
}
# (table, row) -> why a run of the paper's length is not at the paper's
# figures, as far as that is known.
_TERMS = "likely the 1e-8 terms of the authors' kernel KL, docs/fidelity.md"
CAUSES = {
    ("mnist_methods", "bbb"): "seeds differ by as much in outlier AUC",
    ("mnist_architectures", "single"): _TERMS,
    ("mnist_architectures", "sliced"): _TERMS,
}
_MNIST = ("MNIST", ("digits", "mnist"))
_SHARED_1 = Figures(0.73, 0.98, 0.54, 11361)


def _of_methods(figures):
    return {
        name: Row(METHODS[name].title, found, {"method": name})
        for name, found in figures.items()
    }


def _architecture(title, architecture, figures):
    # Tables 1 and 2 share the row of layer-wise hypernetworks and shared
    # noise, so the other architectures had shared noise too.
    found = {
        "method": "bbh",
        "architecture": architecture,
        "shared_noise": True,
    }
    return Row(title, figures, found)


def _noise(kind, dim, figures):
    found = {
        "method": "bbh",
        "shared_noise": kind == "Shared",
        "noise_dim": dim,
    }
    return Row(f"{kind}, d = {dim}", figures, found)


def _divergence(title, divergence, figures):
    return Row(title, figures, {"method": "bbb", "divergence": divergence})


TABLES = {
    "mnist_methods": Table(
        "Methods (Table 3)",
        *_MNIST,
        "methods",
        _of_methods(
            {
                "map": Figures(0.80, 0.99, 0.71, 710),
                "ensemble": Figures(0.49, 0.99, 0.65, 2721),
                "bbb": Figures(0.72, 0.97, 0.41, 2892),
                "dropout": Figures(0.47, 0.99, 0.58, 1224),
                "mnf": Figures(0.63, 0.99, 0.58, 21811),
                "bbh": Figures(0.56, 0.97, 0.48, 11504),
            }
        ),
    ),
    "mnist_architectures": Table(
        "Hypernetworks (Table 1)",
        *_MNIST,
        "architectures",
        {
            "single": _architecture(
                "Single G", "single", Figures(1.1, 0.89, 0.48, 2961)
            ),
            "sliced": _architecture(
                "Sliced layer-wise", "sliced", Figures(1.7, 0.93, 0.55, 7119)
            ),
            "layerwise": _architecture("Layer-wise", "layerwise", _SHARED_1),
        },
    ),
    "mnist_noise": Table(
        "Noise (Table 2)",
        *_MNIST,
        "noises",
        {
            "shared_1": _noise("Shared", 1, _SHARED_1),
            "independent_1": _noise(
                "Independent", 1, Figures(0.56, 0.97, 0.48, 11504)
            ),
            "shared_8": _noise("Shared", 8, Figures(0.56, 0.98, 0.49, 11314)),
            "independent_8": _noise(
                "Independent", 8, Figures(0.64, 0.97, 0.44, 11268)
            ),
        },
    ),
    "mnist_divergences": Table(
        "KL estimates, on Bayes by Backprop (Table 5)",
        *_MNIST,
        "divergences",
        {
            "analytic": _divergence(
                "Closed form", "analytic", Figures(0.72, 0.97, 0.41, 2892)
            ),
            "adversarial": _divergence(
                "Adversarial", "adversarial", Figures(0.97, 1.00, 0.95, 22187)
            ),
            "kernel": _divergence(
                "Kernel, per weight", "kernel", Figures(0.76, 0.98, 0.46, 5707)
            ),
            "full_kernel": _divergence(
                "Kernel, full", "full_kernel", Figures(0.88, 0.99, 0.58, 4644)
            ),
            "entropy": _divergence(
                "Nearest-neighbour entropy, exact prior", "entropy", None
            ),
        },
    ),
    "cifar5_methods": Table(
        "Methods on a ResNet-32 (Table 4)",
        "CIFAR5",
        ("cifar5",),
        "methods",
        _of_methods(
            {
                "map": Figures(13.58, 0.83, 0.68, 5269),
                "ensemble": Figures(10.18, 0.77, 0.55, 51755),
                "bbb": Figures(13.78, 0.65, 0.44, 10562),
                "dropout": Figures(24.74, 0.46, 0.35, 6189),
                "mnf": Figures(12.82, 0.82, 0.62, 15743),
                "bbh": Figures(13.62, 0.68, 0.51, 7896),
            }
        ),
    ),
}

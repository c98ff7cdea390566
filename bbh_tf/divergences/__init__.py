"""Estimates of the KL between posterior and prior."""

from bbh_tf.divergences.adversarial_kl import AdversarialKL
from bbh_tf.divergences.analytic_kl import AnalyticKL
from bbh_tf.divergences.divergence import Divergence
from bbh_tf.divergences.kernel_kl import KernelKL
from bbh_tf.divergences.least_kl import least_kl
from bbh_tf.divergences.monte_carlo_kl import MonteCarloKL
from bbh_tf.divergences.nearest_neighbour_entropy import NearestNeighbourEntropy
from bbh_tf.divergences.pair import Pair
from bbh_tf.divergences.registry import get
from bbh_tf.divergences.sample_divergence import SampleDivergence

__all__ = [
    "AdversarialKL",
    "AnalyticKL",
    "Divergence",
    "KernelKL",
    "MonteCarloKL",
    "NearestNeighbourEntropy",
    "Pair",
    "SampleDivergence",
    "get",
    "least_kl",
]

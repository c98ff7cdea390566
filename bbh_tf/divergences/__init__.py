"""Estimates of the KL between posterior and prior."""

from bbh_tf.divergences.adversarial_kl import AdversarialKL
from bbh_tf.divergences.analytic_kl import AnalyticKL
from bbh_tf.divergences.divergence import Divergence
from bbh_tf.divergences.kernel_kl import KernelKL
from bbh_tf.divergences.nearest_neighbour_entropy import NearestNeighbourEntropy
from bbh_tf.divergences.registry import get

__all__ = [
    "AdversarialKL",
    "AnalyticKL",
    "Divergence",
    "KernelKL",
    "NearestNeighbourEntropy",
    "get",
]

"""Plots of uncertainty, with matplotlib (`pip install bbh_tf[plots]`).

Each function draws into the given axes, or into those of a new figure, and
returns them. It shows what `bbh_tf.uncertainty`, or a model's
`predict_uncertainty`, has measured.
"""

from bbh_tf.plots.bands import predictive_bands
from bbh_tf.plots.entropies import entropy_histograms
from bbh_tf.plots.reliability import reliability
from bbh_tf.plots.selective import risk_coverage
from bbh_tf.plots.weights import weight_correlations
from bbh_tf.plots.weights import weight_marginal

__all__ = [
    "entropy_histograms",
    "predictive_bands",
    "reliability",
    "risk_coverage",
    "weight_correlations",
    "weight_marginal",
]

"""Measures of predictive uncertainty, in NumPy: arrays in, numbers out.

Entropies are in nats. Out-of-distribution is the positive class of every
detection score. No function here needs TensorFlow; anything that
`numpy.asarray` takes may be passed, tensors included.
"""

from bbh_tf.uncertainty.calibration import ReliabilityDiagram
from bbh_tf.uncertainty.calibration import expected_calibration_error
from bbh_tf.uncertainty.calibration import reliability_diagram
from bbh_tf.uncertainty.classification import brier_score
from bbh_tf.uncertainty.classification import error_rate
from bbh_tf.uncertainty.classification import negative_log_likelihood
from bbh_tf.uncertainty.detection import aupr
from bbh_tf.uncertainty.detection import auroc
from bbh_tf.uncertainty.detection import fpr95
from bbh_tf.uncertainty.entropy import class_probabilities
from bbh_tf.uncertainty.entropy import expected_entropy
from bbh_tf.uncertainty.entropy import mutual_information
from bbh_tf.uncertainty.entropy import predictive_entropy
from bbh_tf.uncertainty.entropy_auc import entropy_auc
from bbh_tf.uncertainty.outliers import energy
from bbh_tf.uncertainty.outliers import evaluate_outliers
from bbh_tf.uncertainty.outliers import outlier_scores
from bbh_tf.uncertainty.outliers import variation_ratio
from bbh_tf.uncertainty.selective import RiskCoverage
from bbh_tf.uncertainty.selective import augrc
from bbh_tf.uncertainty.selective import aurc
from bbh_tf.uncertainty.selective import risk_at_coverage
from bbh_tf.uncertainty.selective import risk_coverage

__all__ = [
    "ReliabilityDiagram",
    "RiskCoverage",
    "augrc",
    "aupr",
    "aurc",
    "auroc",
    "brier_score",
    "class_probabilities",
    "energy",
    "entropy_auc",
    "error_rate",
    "evaluate_outliers",
    "expected_calibration_error",
    "expected_entropy",
    "fpr95",
    "mutual_information",
    "negative_log_likelihood",
    "outlier_scores",
    "predictive_entropy",
    "reliability_diagram",
    "risk_at_coverage",
    "risk_coverage",
    "variation_ratio",
]

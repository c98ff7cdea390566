"""Measures of predictive uncertainty, in numpy: numbers in, numbers out.

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

__all__ = [
    "ReliabilityDiagram",
    "aupr",
    "auroc",
    "brier_score",
    "class_probabilities",
    "entropy_auc",
    "error_rate",
    "expected_calibration_error",
    "expected_entropy",
    "fpr95",
    "mutual_information",
    "negative_log_likelihood",
    "predictive_entropy",
    "reliability_diagram",
]

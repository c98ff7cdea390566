"""Active learning: scores of unlabelled examples, in NumPy.

Arrays of draws in, scores and indices out. `sample_probabilities` are class
probabilities `(num_samples, examples, classes)`: what
`uncertainty.class_probabilities` makes of the logits that `predict_samples`
returns with `"categorical_logits"`. Examples with a higher score are labelled
first.
"""

from bbh_tf.acquisition.batch_bald import batch_bald
from bbh_tf.acquisition.scores import bald
from bbh_tf.acquisition.scores import least_confidence
from bbh_tf.acquisition.scores import max_entropy
from bbh_tf.acquisition.scores import mean_std
from bbh_tf.acquisition.scores import random
from bbh_tf.acquisition.scores import variation_ratio
from bbh_tf.acquisition.selection import select

__all__ = [
    "bald",
    "batch_bald",
    "least_confidence",
    "max_entropy",
    "mean_std",
    "random",
    "select",
    "variation_ratio",
]

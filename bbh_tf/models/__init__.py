"""Bayesian models, and the networks of the paper."""

from bbh_tf.models import likelihoods
from bbh_tf.models.bayesian_model import BayesianModel
from bbh_tf.models.bayesify import bayesify
from bbh_tf.models.lenet import lenet

__all__ = ["BayesianModel", "bayesify", "lenet", "likelihoods"]

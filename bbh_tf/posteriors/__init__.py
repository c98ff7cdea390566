"""Distributions over the weights of a layer."""

from bbh_tf.posteriors.as_prior import AsPrior
from bbh_tf.posteriors.flow import Flow
from bbh_tf.posteriors.implicit import Implicit
from bbh_tf.posteriors.mean_field import MeanField
from bbh_tf.posteriors.multivariate_normal import MultivariateNormal
from bbh_tf.posteriors.posterior import Posterior
from bbh_tf.posteriors.posterior import get
from bbh_tf.posteriors.recipes import of_layer
from bbh_tf.posteriors.weight_norm_flow import WeightNormFlow

__all__ = [
    "AsPrior",
    "Flow",
    "Implicit",
    "MeanField",
    "MultivariateNormal",
    "Posterior",
    "WeightNormFlow",
    "get",
    "of_layer",
]

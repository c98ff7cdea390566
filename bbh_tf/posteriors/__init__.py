"""Distributions over the weights of a layer."""

from bbh_tf.posteriors.as_prior import AsPrior
from bbh_tf.posteriors.implicit import Implicit
from bbh_tf.posteriors.mean_field import MeanField
from bbh_tf.posteriors.posterior import Posterior
from bbh_tf.posteriors.posterior import get

__all__ = ["AsPrior", "Implicit", "MeanField", "Posterior", "get"]

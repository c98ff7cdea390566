"""Priors over weights."""

from bbh_tf.priors.adapter import get
from bbh_tf.priors.independent import Independent
from bbh_tf.priors.normal import Normal
from bbh_tf.priors.prior import Prior

__all__ = ["Independent", "Normal", "Prior", "get"]

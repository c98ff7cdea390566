"""Priors over weights."""

from bbh_tf.priors.adapter import get
from bbh_tf.priors.deep_weight_prior import DeepWeightPrior
from bbh_tf.priors.independent import Independent
from bbh_tf.priors.kernel_flow import KernelFlow
from bbh_tf.priors.kernel_normal import KernelNormal
from bbh_tf.priors.kernel_prior import KernelPrior
from bbh_tf.priors.log_uniform import LogUniform
from bbh_tf.priors.normal import Normal
from bbh_tf.priors.normal_learned_scale import NormalLearnedScale
from bbh_tf.priors.prior import Prior

__all__ = [
    "DeepWeightPrior",
    "Independent",
    "KernelFlow",
    "KernelNormal",
    "KernelPrior",
    "LogUniform",
    "Normal",
    "NormalLearnedScale",
    "Prior",
    "get",
]

"""Normalizing flows: invertible maps with known log-determinants."""

from bbh_tf.flows.chain import Chain
from bbh_tf.flows.coupling import Coupling
from bbh_tf.flows.elementwise_affine import ElementwiseAffine
from bbh_tf.flows.flow import Flow
from bbh_tf.flows.flow import get
from bbh_tf.flows.inverse_autoregressive import InverseAutoregressive
from bbh_tf.flows.masked_real_nvp import MaskedRealNVP
from bbh_tf.flows.permutation import Permutation
from bbh_tf.flows.stacks import inverse_autoregressive
from bbh_tf.flows.stacks import real_nvp

__all__ = [
    "Chain",
    "Coupling",
    "ElementwiseAffine",
    "Flow",
    "InverseAutoregressive",
    "MaskedRealNVP",
    "Permutation",
    "get",
    "inverse_autoregressive",
    "real_nvp",
]

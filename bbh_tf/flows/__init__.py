"""Invertible maps whose log-determinants are known."""

from bbh_tf.flows.flow import Flow
from bbh_tf.flows.masked_real_nvp import MaskedRealNVP

__all__ = ["Flow", "MaskedRealNVP"]

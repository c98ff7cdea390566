"""Optimisers that Keras does not have."""

from bbh_tf.optimizers.fused_adam import FusedAdam
from bbh_tf.optimizers.tf1_rmsprop import TF1RMSprop

__all__ = ["FusedAdam", "TF1RMSprop"]

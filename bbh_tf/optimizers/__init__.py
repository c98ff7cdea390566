"""Optimisers that Keras does not have."""

from bbh_tf.optimizers.epoch_cosine_decay import EpochCosineDecay
from bbh_tf.optimizers.fused_adam import FusedAdam
from bbh_tf.optimizers.tf1_rmsprop import TF1RMSprop

__all__ = ["EpochCosineDecay", "FusedAdam", "TF1RMSprop"]

"""Bayesian layers for Keras models."""

from bbh_tf.layers.bayesian import Bayesian

__all__ = ["Bayesian"]

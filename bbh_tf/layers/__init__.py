"""Bayesian layers for Keras models."""

from bbh_tf.layers.bayesian import Bayesian
from bbh_tf.layers.local_reparameterization import LocalReparameterization
from bbh_tf.layers.mc_dropout import MCDropout
from bbh_tf.layers.mnf import MNF
from bbh_tf.layers.mnf_conv2d import MNFConv2D
from bbh_tf.layers.mnf_dense import MNFDense
from bbh_tf.layers.random_layer import RandomLayer

__all__ = [
    "Bayesian",
    "LocalReparameterization",
    "MCDropout",
    "MNF",
    "MNFConv2D",
    "MNFDense",
    "RandomLayer",
]

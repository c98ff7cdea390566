"""Bayesian models, and the networks of the paper."""

from bbh_tf.models import likelihoods
from bbh_tf.models.bayes_by_backprop import bayes_by_backprop
from bbh_tf.models.bayes_by_hypernet import bayes_by_hypernet
from bbh_tf.models.bayesian_model import BayesianModel
from bbh_tf.models.bayesify import bayesify
from bbh_tf.models.calibration import update_batch_normalization
from bbh_tf.models.ensembles.deep_ensemble import DeepEnsemble
from bbh_tf.models.kernel_autoencoder import KernelAutoencoder
from bbh_tf.models.kernel_slices import kernel_slices
from bbh_tf.models.last_layer.laplace import laplace
from bbh_tf.models.last_layer.laplace_model import LaplaceModel
from bbh_tf.models.networks.lenet import lenet
from bbh_tf.models.networks.resnet import resnet
from bbh_tf.models.networks.resnet import resnet32
from bbh_tf.models.priors_of import priors_of
from bbh_tf.models.standardize_activations import standardize_activations

__all__ = [
    "BayesianModel",
    "DeepEnsemble",
    "KernelAutoencoder",
    "LaplaceModel",
    "bayes_by_backprop",
    "bayes_by_hypernet",
    "bayesify",
    "kernel_slices",
    "laplace",
    "lenet",
    "likelihoods",
    "priors_of",
    "resnet",
    "resnet32",
    "standardize_activations",
    "update_batch_normalization",
]

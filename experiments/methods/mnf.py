"""Multiplicative normalizing flows (Louizos and Welling, arXiv:1703.01961)."""

import dataclasses
import functools
import math

from experiments import lazy
from experiments import networks
from experiments.methods import method
from experiments.methods import parts
from experiments.methods import released_resnet

bbh = lazy.import_module("bbh_tf")
released_code = lazy.import_module("experiments.released_code")

# Of the prior of the authors' code.
RELEASED_VARIANCE = math.e


def _build(config, data):
    convolution, dense = bbh.layers.MNFConv2D, bbh.layers.MNFDense
    settings = {
        "max_std": config.max_std,
        "prior_variance": config.prior_scale**2,
    }
    if config.released_mnf:
        convolution = released_code.MNFConv2D
        settings.update(prior_variance=RELEASED_VARIANCE, initial_z_mean=0.0)
    convolution, dense = (
        functools.partial(layer, **settings) for layer in (convolution, dense)
    )
    network = networks.build(config, data, convolution=convolution, dense=dense)
    return parts.model(config, data, network)


def _describe(config):
    if not config.released_mnf:
        return parts.describe_kl(config)
    # What it has in the place of the settings' prior.
    return [
        *parts.describe_kl(dataclasses.replace(config, prior_scale=1.0)),
        f"N(0, {RELEASED_VARIANCE:.3g}) prior",
        "no KL of convolutions",
        "z around 0 at first",
    ]


METHOD = method.Method(
    name="mnf",
    title="MNF",
    color="#56B4E9",
    build=_build,
    describe=_describe,
    settings={"anneals": True},
    datasets={"cifar5": {"max_std": 0.3}},
    released_datasets={"cifar5": released_resnet.RANDOM},
)

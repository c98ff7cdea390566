"""Bayesian hypernetworks (Krueger et al., arXiv:1710.04759)."""

from experiments import lazy
from experiments import networks
from experiments.methods import method
from experiments.methods import parts

bbh = lazy.import_module("bbh_tf")


def _build(config, data):
    # One flow over the scales of all layers: 580 of LeNet's.
    network = networks.build(
        config,
        data,
        bbh.posteriors.WeightNormFlow(bbh.flows.real_nvp(seed=config.seed)),
        prior=parts.prior(config),
        scope="network",
    )
    return parts.model(
        config, data, network, divergence=bbh.divergences.MonteCarloKL()
    )


def _describe(config):
    return ["8 RealNVP couplings on scales", *parts.describe_kl(config)]


METHOD = method.Method(
    name="bhn",
    title="Bayesian hypernetwork",
    color="#882255",
    build=_build,
    describe=_describe,
    settings={"num_samples": 1},
    tables=("mnist_methods",),
)

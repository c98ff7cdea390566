"""Bayes by Backprop (Blundell et al., arXiv:1505.05424)."""

from experiments import lazy
from experiments import networks
from experiments.methods import method
from experiments.methods import parts
from experiments.methods import released_resnet

bbh = lazy.import_module("bbh_tf")


def _build(config, data):
    posterior = bbh.posteriors.MeanField(config.initial_log_variance)
    network = networks.build(config, data, posterior, prior=parts.prior(config))
    return parts.model(
        config, data, network, divergence=parts.divergence(config)
    )


METHOD = method.Method(
    name="bbb",
    title="Bayes by Backprop",
    color="#0072B2",
    build=_build,
    describe=parts.describe_kl,
    settings={"divergence": "analytic"},
    datasets={"cifar5": {"initial_log_variance": -30.0}},
    released_datasets={"cifar5": released_resnet.RANDOM},
)

"""MC dropout (Gal and Ghahramani, arXiv:1506.02142)."""

from experiments import networks
from experiments.methods import method
from experiments.methods import parts
from experiments.methods import released_resnet


def _build(config, data):
    network = networks.build(
        config,
        data,
        kernel_initializer=config.kernel_initializer,
        kernel_regularizer=parts.l2(config, data),
        dropout_rate=config.dropout_rate,
    )
    return parts.model(config, data, network)


def _describe(config):
    return [
        f"rate {config.dropout_rate:g}",
        *parts.describe_l2(config),
        *parts.describe_kernels(config),
    ]


METHOD = method.Method(
    name="dropout",
    title="MC dropout",
    color="#009E73",
    build=_build,
    describe=_describe,
    settings={"dropout_rate": 0.5},
    released={"kernel_initializer": "lecun_normal"},
    released_datasets={"cifar5": released_resnet.FIXED},
    fixed_weights="MC dropout draws masks and has one set of weights",
)

"""MAP: a point estimate, which is an ensemble of one."""

from experiments import lazy
from experiments import networks
from experiments.methods import method
from experiments.methods import parts
from experiments.methods import released_resnet

bbh = lazy.import_module("bbh_tf")


def _build(config, data):
    network = networks.build(
        config,
        data,
        kernel_initializer=config.kernel_initializer,
        kernel_regularizer=parts.l2(config, data),
    )
    return bbh.models.DeepEnsemble(network, num_members=1, seed=config.seed)


def _describe(config):
    return [*parts.describe_l2(config), *parts.describe_kernels(config)]


METHOD = method.Method(
    name="map",
    title="MAP",
    color="#000000",
    build=_build,
    describe=_describe,
    released={"kernel_initializer": "lecun_normal"},
    released_datasets={"cifar5": released_resnet.FIXED},
    fixed_weights="MAP has one set of weights",
)

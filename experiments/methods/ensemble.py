"""Deep ensembles (Lakshminarayanan et al., arXiv:1612.01474)."""

from experiments import lazy
from experiments import networks
from experiments.methods import method
from experiments.methods import parts
from experiments.methods import released_resnet

bbh = lazy.import_module("bbh_tf")


def _build(config, data):
    return bbh.models.DeepEnsemble(
        networks.build(
            config, data, kernel_initializer=config.kernel_initializer
        ),
        num_members=config.num_members,
        adversarial_epsilon=config.adversarial_epsilon,
        split_batches=True,
        seed=config.seed,
    )


def _describe(config):
    texts = [f"{config.num_members} members"]
    if config.adversarial_epsilon is not None:
        texts.append(f"adversarial training at {config.adversarial_epsilon:g}")
    return texts + parts.describe_kernels(config)


METHOD = method.Method(
    name="ensemble",
    title="Deep ensemble",
    color="#E69F00",
    build=_build,
    describe=_describe,
    settings={"num_members": 10, "adversarial_epsilon": 0.01},
    datasets={"cifar5": {"num_members": 5}},
    released={"kernel_initializer": "lecun_normal"},
    released_datasets={"cifar5": released_resnet.FIXED},
)

"""Bayes by Hypernet (Pawlowski et al., arXiv:1711.01297)."""

import functools

from experiments import lazy
from experiments import networks
from experiments.methods import method
from experiments.methods import parts
from experiments.methods import released_resnet

bbh_tf = lazy.import_module("bbh_tf")

# 130 slices of 3,316 weights are the paper's LeNet exactly.
_SINGLE_G_SLICES = 130


# What a row sets for other architectures: sizes of matrices are no widths of
# layers, and one vector of all weights has no fan-in.
_ROWS_OWN = {
    "matrix_product": ("hypernetwork_units", "hypernetwork_initializer"),
    "single": ("hypernetwork_initializer",),
}


def _build(config, data):
    chosen = _chosen(config)
    if config.architecture == "layerwise":
        make = bbh_tf.hypernetworks.MLP
    elif config.architecture == "matrix_product":
        make = bbh_tf.hypernetworks.MatrixProduct
    else:
        slices = "chunks" if config.released_slices else "output"
        if config.architecture == "single":
            slices = _SINGLE_G_SLICES
        make = functools.partial(
            bbh_tf.hypernetworks.Sliced,
            slices,
            center=config.start == "network",
        )
    posterior = bbh_tf.posteriors.Implicit(
        make(**chosen),
        noise_dim=config.noise_dim,
        shared_noise=config.shared_noise,
    )
    network = networks.build(
        config,
        data,
        posterior,
        prior=parts.prior(config),
        scope="network" if config.architecture == "single" else "layer",
        start="pretrained" if config.start == "network" else "random",
    )
    return parts.model(
        config, data, network, divergence=parts.divergence(config)
    )


def _chosen(config):
    """Returns the arguments of hypernetworks that are not their defaults."""
    found = {
        "units": ("hypernetwork_units", config.hypernetwork_units),
        "kernel_initializer": (
            "hypernetwork_initializer",
            config.hypernetwork_initializer,
        ),
    }
    return {
        name: value
        for name, (setting, value) in found.items()
        if value is not None
        and (
            setting not in _ROWS_OWN.get(config.architecture, ())
            or setting in config.changed
        )
    }


def _describe(config):
    kind = "shared" if config.shared_noise else "independent"
    texts = [f"{config.architecture}, {kind} noise {config.noise_dim}"]
    chosen = _chosen(config)
    if "units" in chosen:
        widths = ", ".join(map(str, chosen["units"]))
        texts.append(f"hypernetworks {widths} wide")
    if "kernel_initializer" in chosen:
        texts.append(f"initialised by {chosen['kernel_initializer']}")
    if config.start != "random":
        texts.append("initialised around the plain network's weights")
    return texts + parts.describe_kl(config)


METHOD = method.Method(
    name="bbh",
    title="Bayes by Hypernet",
    color="#D55E00",
    build=_build,
    describe=_describe,
    settings={
        "divergence": "kernel",
        "hypernetwork_units": (64, 256, 512),
        "learning_rate": 1e-4,
        "anneals": True,
    },
    # A departure: at the paper's 1e-4 it would need the paper's 55,000 steps.
    datasets={"digits": {"learning_rate": 3e-4}},
    # The authors' scripts mean Adam and run RMSProp.
    released={"optimizer": "tf1_rmsprop"},
    released_datasets={
        "cifar5": {**released_resnet.RANDOM, "normalization": "batch"}
    },
)

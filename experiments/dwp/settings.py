"""Settings of the commands, which import nothing that is slow."""

import dataclasses
import typing


@dataclasses.dataclass(frozen=True)
class PriorConfig:
    """Settings of a run of `experiments.dwp_prior`; see its flags."""

    kernels: tuple
    held_out: typing.Any = None
    held_out_fraction: float = 0.2
    latent_dims: tuple = ()
    num_steps: int = 0
    epochs: int = 300
    batch_size: int = 128
    learning_rate: float = 1e-3
    released: typing.Any = None
    seed: int = 0
    rms: typing.Any = None


@dataclasses.dataclass(frozen=True)
class SourcesConfig:
    """Settings of a run of `experiments.dwp_sources`; see its flags."""

    dataset: str
    data_dir: typing.Any = None
    num_networks: int = 1
    epochs: int = 100
    batch_size: int = 256
    max_examples: typing.Any = None
    min_norm: typing.Any = None
    seed: int = 0
    l2: typing.Any = None


# What stands before a row; the paper's, then what it fits to kernels besides.
PRIORS = {
    "dwp": "deep weight prior",
    "log_uniform": "log-uniform, alpha at most 1",
    "normal": "standard normal",
    "kernel_normal": "normal of kernels",
    "kernel_flow": "flow of kernels",
    "deterministic": "no prior: weights, with L2",
    "log_uniform_additive": "log-uniform, variances apart",
    "dwp_importance": "deep weight prior, K = 10",
    "dwp_hypernet": "deep weight prior, samples only: Bayes by Hypernet",
}
INITIALISATIONS = {
    "samples": "draws of the prior",
    "means": "decoder means",
    "filters": "learned kernels",
    "xavier": "Xavier",
}


@dataclasses.dataclass(frozen=True)
class ClassificationConfig:
    """What all runs of `experiments.dwp_classification` have in common."""

    dataset: str = "digits"
    preset: str = "paper"
    kernels: tuple = ()
    autoencoders: tuple = ()
    batch_size: int = 256
    learning_rate: float = 1e-3
    num_slices: int = 256
    initial_log_variance: float = -10.0
    l2: float = 1e-3
    kl_scale: float = 1.0
    num_prediction_samples: int = 10
    num_test: typing.Any = None


@dataclasses.dataclass(frozen=True)
class ClassificationRuns:
    """Which runs a command makes; see the flags."""

    priors: tuple
    num_examples: tuple
    initialisations: tuple
    splits: tuple
    num_steps: int


@dataclasses.dataclass(frozen=True)
class FeaturesConfig:
    """What all runs of `experiments.dwp_features` have in common."""

    dataset: str = "digits"
    kernels: tuple = ()
    autoencoders: tuple = ()
    epochs: int = 50
    batch_size: int = 256
    learning_rate: float = 1e-2
    normalization: str = "each"
    num_train: typing.Any = None
    num_test: typing.Any = None
    trains: str = "dense"


@dataclasses.dataclass(frozen=True)
class FeaturesRuns:
    """Which runs a command makes; see the flags."""

    initialisations: tuple
    scales: tuple
    num_runs: int


@dataclasses.dataclass(frozen=True)
class GapConfig:
    """What all runs of `experiments.dwp_gap` have in common."""

    dataset: str = "digits"
    kernels: tuple = ()
    autoencoders: tuple = ()
    initialisation: str = "samples"
    num_examples: int = 50
    num_steps: int = 500
    num_draws: int = 5
    num_slices: int = 64


@dataclasses.dataclass(frozen=True)
class GapRuns:
    """Which runs a command makes; see the flags."""

    reverses: tuple
    num_importance_samples: tuple
    splits: tuple


REVERSES = {"trained": "trained with q", "frozen": "as the autoencoder left it"}


@dataclasses.dataclass(frozen=True)
class ConvergenceConfig:
    """What all runs of `experiments.dwp_convergence` have in common."""

    dataset: str = "digits"
    kernels: tuple = ()
    autoencoders: tuple = ()
    batch_size: int = 256
    learning_rate: float = 1e-3
    num_test: typing.Any = None


@dataclasses.dataclass(frozen=True)
class ConvergenceRuns:
    """Which runs a command makes; see the flags."""

    networks: tuple
    initialisations: tuple
    num_runs: int
    num_steps: dict


CONVERGING = {
    "classifier": "test accuracy",
    "autoencoder": "bound on log p(x), nats",
}

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

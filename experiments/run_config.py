"""What determines the numbers of one run, and where it comes from."""

import dataclasses
import math

from experiments import changes
from experiments import data_sets
from experiments import paper_tables
from experiments import settings

# Metrics that are kept, a line an epoch.
METRICS = ("loss", "nll", "kl", "kl_weight", "accuracy")
_BATCH_SIZE = 100


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """One method trained once: all that determines its numbers.

    Attributes:
        table: name of the table that the run is for.
        row: its row there.
        dataset: name of the data set.
        outliers: name of the outliers.
        method: name of the method.
        seed: seed of initialisation, shuffling and draws.
        scale: `"smoke"` takes a few examples only.
        preset: where the settings come from.
        epochs: passes over the training set; the last may be cut short by
            `num_steps`.
        num_steps: training steps, or None for whole epochs.
        annealing_start: epoch at which the KL sets in, or None for no
            annealing.
        annealing_epochs: epochs until it counts in full.
        kl_scale: factor on the KL.
        num_prediction_samples: draws at prediction.
        num_validation: see `Config`.
        mixed_precision: whether activations are bfloat16; hypernetworks, draws
            and KL are float32 always.
        network: `"lenet"` or `"resnet"`.
        units: widths of the LeNet, or of the stages of the ResNet.
        kernel_size: size of its filters.
        units_per_stage: size of the ResNet; 5 for a ResNet-32.
        strides: of its stages.
        final_normalization: whether it has a normalisation before the last
            ReLU.
        normalization: where its normalisation has statistics from at
            prediction: `"calibrated"`, a fixed part of the training set under
            the final weights, or under each draw; `"batch"`, the images that
            are predicted together; `"image"`, each image.
        kernel_initializer: of the kernels of MAP, MC dropout and ensembles.
        batch_size: examples in a batch, of each member in an ensemble.
        optimizer: `"adam"` or `"tf1_rmsprop"`.
        learning_rate: its step size.
        learning_rate_decay: how that falls over the epochs: `"cosine"`, or
            None for not at all.
        epsilon: its constant, or None for Keras' own.
        global_clipnorm: largest norm of the gradient of all parameters
            together, or None for no clipping, as in the paper.
        divergence: estimate of the KL, or None where there is none to choose.
        num_samples: posterior samples of that estimate.
        num_prior_samples: its prior samples, or None for as many; where it
            looks at several neighbours, for 20.
        num_neighbours: which neighbour's distance it takes.
        num_likelihood_samples: draws under which a step takes the likelihood.
        split_batches: whether each of these sees a part of the batch, not all.
        prior_scale: standard deviation of the normal prior of each weight.
        learned_prior_scale: whether that is learnt for each tensor.
        released_kernel: whether the kernel KL has the authors' 1e-8 terms.
        discriminator_steps: steps of the adversarial estimate's
            discriminator for each of training.
        divergence_weights: how many weights, chosen at random, the
            adversarial estimate looks at in a step; None for all.
        architecture: form of the hypernetworks: `"layerwise"`, `"sliced"`,
            `"single"` or `"matrix_product"`.
        released_slices: whether slices are the authors' contiguous chunks.
        start: where the posteriors of Bayes by Hypernet begin: `"random"`, or
            `"network"`, around the weights that a plain network begins with.
        hypernetwork_units: widths of the hypernetworks' hidden layers, or None
            for the paper's.
        hypernetwork_initializer: initialiser of their kernels; None for
            Glorot's.
        shared_noise: whether all hypernetworks get the same noise.
        noise_dim: dimension of the hypernetworks' noise.
        initial_log_variance: where those of Bayes by Backprop start.
        dropout_rate: share of units that MC dropout sets to zero.
        max_std: bound on the standard deviations of MNF in training.
        released_mnf: whether MNF has the authors' prior variance, e, their
            start of z, 0, and no KL of convolutions.
        num_members: members of an ensemble.
        adversarial_epsilon: how far adversarial training moves each pixel, or
            None for no adversarial training.
        changed: names of the settings that the command line set in place of
            the row's.
    """

    table: str
    row: str
    dataset: str
    outliers: str
    method: str
    seed: int
    scale: str
    preset: str
    epochs: int
    num_steps: int | None
    annealing_start: float | None
    annealing_epochs: float | None
    kl_scale: float
    num_prediction_samples: int
    num_validation: int
    mixed_precision: bool = False
    network: str = "lenet"
    units: tuple | None = None
    kernel_size: int | None = None
    units_per_stage: int | None = None
    strides: tuple | None = None
    final_normalization: bool = True
    normalization: str | None = None
    kernel_initializer: str = "glorot_uniform"
    batch_size: int = _BATCH_SIZE
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    learning_rate_decay: str | None = None
    epsilon: float | None = None
    global_clipnorm: float | None = None
    divergence: str | None = None
    num_samples: int = 5
    num_prior_samples: int | None = None
    num_neighbours: int = 1
    num_likelihood_samples: int = 1
    split_batches: bool = False
    prior_scale: float = 1.0
    learned_prior_scale: bool = False
    released_kernel: bool = False
    discriminator_steps: int = 5
    divergence_weights: int | None = None
    architecture: str = "layerwise"
    released_slices: bool = False
    start: str = "random"
    hypernetwork_units: tuple | None = None
    hypernetwork_initializer: str | None = None
    shared_noise: bool = False
    noise_dim: int = 1
    initial_log_variance: float = -9.0
    dropout_rate: float = 0.0
    max_std: float = 0.5
    released_mnf: bool = False
    num_members: int = 1
    adversarial_epsilon: float | None = None
    changed: tuple = ()


def make(config, row, seed):
    """Makes the settings of one run.

    Args:
        config: an `experiments.config.Config`.
        row: key of a row of its table.
        seed: the run's seed.

    Returns:
        A `RunConfig`.
    """
    found = settings_of(config, row)
    changed = changes.kept(found, config.changes)
    found.update(changed)
    method = found["method"]
    if found.get("divergence") == "adversarial":
        found["divergence_weights"] = config.divergence_weights
    if config.num_members and method == "ensemble":
        found["num_members"] = config.num_members
    if config.global_clipnorm is not None:
        found["global_clipnorm"] = config.global_clipnorm or None
    anneals = found.pop("anneals", False)
    start, length = data_sets.DATASETS[config.dataset].annealing
    if isinstance(anneals, tuple):
        start, length = anneals
    batch_size = found.pop("batch_size", _BATCH_SIZE)
    epochs = _num_epochs(config, batch_size)
    outliers = data_sets.DATASETS[config.dataset].outliers
    return RunConfig(
        table=config.table,
        row=row,
        dataset=config.dataset,
        outliers="notmnist" if config.outlier_dir else outliers,
        seed=seed,
        scale=config.scale,
        preset=config.preset,
        epochs=math.ceil(epochs),
        num_steps=config.num_steps,
        annealing_start=found.pop(
            "annealing_start", start * epochs if anneals else None
        ),
        annealing_epochs=found.pop(
            "annealing_epochs", length * epochs if anneals else None
        ),
        kl_scale=config.kl_scale,
        num_prediction_samples=config.num_prediction_samples,
        num_validation=config.num_validation,
        mixed_precision=config.mixed_precision,
        batch_size=batch_size,
        changed=tuple(changed),
        **found,
    )


def settings_of(config, row):
    """Returns what a row sets, before the command line changes it.

    Args:
        config: an `experiments.config.Config`.
        row: key of a row of its table.

    Returns:
        Dictionary of settings, as `settings.of`'s, with `"method"`.
    """
    return _settings_of(config.table, row, config.dataset, config.preset)


def own_settings(config):
    """Returns what the row of a run sets today; see `settings_of`.

    Args:
        config: a run's configuration, as its `config.json` has it.
    """
    table, row = paper_tables.place(config)
    return _settings_of(table, row, config["dataset"], config["preset"])


def _settings_of(table, row, dataset, preset):
    own = paper_tables.TABLES[table].rows[row].settings
    return {**settings.of(dataset, own["method"], preset), **own}


def read(saved):
    """Returns the `RunConfig` that a run's `config.json` holds.

    What is not in it, as an older version wrote it, is as by default.
    """
    names = {field.name for field in dataclasses.fields(RunConfig)}
    known = {name: value for name, value in saved.items() if name in names}
    return RunConfig(
        **{"table": "mnist_methods", "row": saved["method"], **known}
    )


def steps_per_epoch(config):
    """Number of batches in an epoch of a `RunConfig`, the last one smaller."""
    return _steps_per_epoch(config, config.batch_size)


def num_steps(config):
    """Number of training steps of a `RunConfig`, from first to last."""
    return config.num_steps or config.epochs * steps_per_epoch(config)


def num_epochs(config):
    """How many epochs a `RunConfig` trains, the last one perhaps cut short."""
    if config.num_steps is None:
        return config.epochs
    return config.num_steps / steps_per_epoch(config)


def _steps_per_epoch(config, batch_size):
    return math.ceil(data_sets.num_train_examples(config) / batch_size)


def _num_epochs(config, batch_size):
    if config.num_steps is not None:
        return config.num_steps / _steps_per_epoch(config, batch_size)
    if config.epochs is not None:
        return config.epochs
    return data_sets.DATASETS[config.dataset].epochs[config.scale]

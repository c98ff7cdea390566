r"""Kernels for a deep weight prior: networks trained on related data.

python -m experiments.dwp_sources --dataset=letters --num_networks=3 \
    --output_dir=runs/letters

Trains networks of Atanov et al. (The Deep Weight Prior, arXiv:1810.06943, App.
H) one after the other: `notmnist`, 7 x 7 and 5 x 5 kernels for MNIST;
`cifar100`, for CIFAR-10; and `letters`, 3 x 3 kernels for the digits, which
needs no download and is not in the paper. Of each convolution it keeps the
slices whose norm is at least a threshold: `kernels_<layer>.npz`, an array
`(count, k, k)` for each network, is what `experiments.dwp_prior --kernels`
reads. A run that is stopped goes on with the first network that is not there,
and a run with more networks adds to them; `seed_<seed>.npz` has all slices of a
network, so that a run with another `--min_norm` trains none again.
"""

from absl import flags

from experiments import command_line
from experiments import flag_checks
from experiments import lazy
from experiments import strategies
from experiments.dwp import settings

sources_run = lazy.import_module("experiments.dwp.sources_run")

_NAMES = ("notmnist", "cifar100", "letters")
_DATASET = flags.DEFINE_string("dataset", None, f"One of {', '.join(_NAMES)}.")
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of the data; none: the default, downloaded."
)
_NUM_NETWORKS = flags.DEFINE_integer(
    "num_networks", 1, "How many networks (the authors: 100)."
)
_EPOCHS = flags.DEFINE_integer(
    "epochs", None, "Epochs of each; none: the paper's, 100 or 300."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 256, "Images in a batch.")
_MAX_EXAMPLES = flags.DEFINE_integer(
    "max_examples", None, "Images to train on, chosen at random; none: all."
)
_MIN_NORM = flags.DEFINE_float(
    "min_norm",
    None,
    "Least Euclidean norm of a slice that is kept; none: 0.39 at 7 x 7 and "
    "0.13 at 5 x 5 of notMNIST, about the least of the released kernels; 0.2 "
    "for CIFAR-100; 0.1 for letters.",
)
_L2 = flags.DEFINE_float(
    "l2",
    None,
    "Factor of the sum of squares of the convolutions' parameters in the "
    "loss; none: the paper's, 1e-3, or 1e-4 (CIFAR-100).",
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the first network.")
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for kernels, results.json and pictures."
)
_STRATEGY = strategies.define_flag()


def _config():
    epochs = _EPOCHS.value
    if epochs is None:
        epochs = 300 if _DATASET.value == "cifar100" else 100
    flag_checks.check(
        _DATASET, _DATASET.value in _NAMES, f"one of {', '.join(_NAMES)}"
    )
    flag_checks.check_data_dir(_DATA_DIR.value, [_DATASET.value])
    flag_checks.check_fewest(
        (
            (_NUM_NETWORKS, 1),
            (_EPOCHS, 1),
            (_BATCH_SIZE, 1),
            (_MAX_EXAMPLES, 1),
            (_MIN_NORM, 0),
            (_L2, 0),
            (_SEED, 0),
        )
    )
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    return settings.SourcesConfig(
        _DATASET.value,
        _DATA_DIR.value,
        _NUM_NETWORKS.value,
        epochs,
        _BATCH_SIZE.value,
        _MAX_EXAMPLES.value,
        _MIN_NORM.value,
        _SEED.value,
        _L2.value,
    )


def _main():
    config = _config()
    with strategies.job(_STRATEGY.value, _OUTPUT_DIR.value) as folder:
        sources_run.run(
            config,
            folder,
            command_line.command(),
            strategies.make(_STRATEGY.value),
        )


if __name__ == "__main__":
    command_line.start(_main, takes_strategy=True)

r"""Table 1 of the deep weight prior: how far the bound is from a tighter one.

python -m experiments.dwp_gap --output_dir=runs/gap
python -m experiments.dwp_gap --dataset=mnist \
    --kernels=conv7x7-train.npy,conv5x5-test.npy \
    --autoencoders=vae7x7.npz,vae5x5.npz --data_dir=<folder> \
    --output_dir=runs/gap_mnist

Trains a network under the deep weight prior, the reverse model r(z | w) with it
or not, and compares the bound that was trained with the importance-weighted one
of K samples of z for each slice (Atanov et al., arXiv:1810.06943, App. B), and
with what p(z) in the place of r would give. The paper does not say which data
and network its table is of. Other K, splits or reverse models add to a folder;
networks that are there are not trained again.
"""

from absl import flags

from experiments import command_line
from experiments import flag_checks
from experiments import flag_lists
from experiments import lazy
from experiments import strategies
from experiments.dwp import settings
from experiments.dwp import source_flags

gap_run = lazy.import_module("experiments.dwp.gap_run")

_STEPS = {"digits": 500, "mnist": 2000, "cifar10": 1500}
_SLICES = {"digits": 64, "mnist": 256, "cifar10": 256}
_STARTS = ("samples", "means", "filters", "xavier")

_DATASET = flags.DEFINE_enum("dataset", "digits", list(_STEPS), "Which data.")
_DATA_DIR, _KERNELS, _AUTOENCODERS = source_flags.define()
_REVERSES = flags.DEFINE_list(
    "reverses",
    list(settings.REVERSES),
    f"Some of {', '.join(settings.REVERSES)}: whether r trains with q.",
)
_INITIALISATION = flags.DEFINE_enum(
    "initialisation", "samples", _STARTS, "What training starts from."
)
_NUM_EXAMPLES = flags.DEFINE_integer("num_examples", 50, "Training examples.")
_SPLITS = flags.DEFINE_list("splits", ["0"], "Splits, from 0.")
_NUM_STEPS = flags.DEFINE_integer(
    "num_steps", None, "Steps; none: 500, 2,000 (MNIST) or 1,500 (CIFAR-10)."
)
_NUM_IMPORTANCE_SAMPLES = flags.DEFINE_list(
    "num_importance_samples", ["1000"], "K (the paper: 10000)."
)
_NUM_DRAWS = flags.DEFINE_integer("num_draws", 5, "Draws of the weights.")
_NUM_SLICES = flags.DEFINE_integer(
    "num_slices",
    None,
    "Slices of each layer to look at; none: 64 or, but for the digits, 256.",
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for networks, runs and results.json."
)
_STRATEGY = strategies.define_flag()


def _main():
    dataset = _DATASET.value
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    flag_checks.check_fewest(
        ((_NUM_STEPS, 1), (_NUM_DRAWS, 1), (_NUM_SLICES, 2))
    )
    flag_checks.check_data_dir(_DATA_DIR.value, [dataset])
    flag_lists.check_kernels(_KERNELS, dataset)
    count = _NUM_EXAMPLES.value
    flag_checks.check(
        _NUM_EXAMPLES,
        count >= 10 and count % 10 == 0,
        "a multiple of 10 from 10",
    )
    runs = settings.GapRuns(
        flag_lists.names(_REVERSES, list(settings.REVERSES)),
        flag_lists.integers(_NUM_IMPORTANCE_SAMPLES, 1),
        flag_lists.integers(_SPLITS, 0),
    )
    config = settings.GapConfig(
        dataset,
        tuple(_KERNELS.value),
        tuple(_AUTOENCODERS.value),
        _INITIALISATION.value,
        count,
        _NUM_STEPS.value or _STEPS[dataset],
        _NUM_DRAWS.value,
        _NUM_SLICES.value or _SLICES[dataset],
    )
    with strategies.job(_STRATEGY.value, _OUTPUT_DIR.value) as folder:
        gap_run.run(
            config,
            runs,
            _DATA_DIR.value,
            folder,
            command_line.command(),
            strategies.make(_STRATEGY.value),
        )


if __name__ == "__main__":
    command_line.start(_main, takes_strategy=True)

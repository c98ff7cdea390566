r"""Figure 3 of the deep weight prior: features of fixed convolutions.

python -m experiments.dwp_features --output_dir=runs/features
python -m experiments.dwp_features --dataset=mnist \
    --kernels=conv7x7-train.npy,conv5x5-test.npy \
    --autoencoders=vae7x7.npz,vae5x5.npz --data_dir=<folder> \
    --output_dir=runs/features_mnist

Convolutions stay as they were drawn, learned kernels, draws of the prior or
Xavier's, and only the dense layers train (Atanov et al., arXiv:1810.06943, Sec.
4.2); so features are computed once. They are standardised, of which the dense
layers could say the same, but would take far longer. The paper does not say
for how long they train. `--trains=all` trains the convolutions too, to see
what fixing them costs; nothing is standardised then. Xavier's alone needs no
kernels. A run that is stopped goes on with the first training that is not
there; commands with other scales, initialisations or more runs add to the same
folder. The digits, the default, need no data and are a
demonstration.
"""

from absl import flags

from experiments import command_line
from experiments import files
from experiments import flag_checks
from experiments import flag_lists
from experiments import lazy
from experiments.dwp import settings
from experiments.dwp import source_flags
from experiments.dwp import start_flags

features_run = lazy.import_module("experiments.dwp.features_run")

_SCALES = {
    "digits": ("1/8", "1/4", "1/2", "1"),
    "mnist": ("1/16", "1/8", "1/4", "1/2", "1"),
    "cifar10": ("1/8", "1/4", "1/2", "1"),
}
_EPOCHS = {"digits": 100, "mnist": 10, "cifar10": 20}
# But for CIFAR-10, what trains is linear, and its optimum is all that counts.
_RATES = {"digits": 1e-2, "mnist": 1e-2, "cifar10": 1e-3}
_RUNS = {"digits": 3, "mnist": 10, "cifar10": 3}

_DATASET = flags.DEFINE_enum("dataset", "digits", list(_SCALES), "Which data.")
_DATA_DIR, _KERNELS, _AUTOENCODERS = source_flags.define()
_PRESET, _INITIALISATIONS = start_flags.define()
_SCALE_TEXTS = flags.DEFINE_list(
    "scales", None, "k, numbers or fractions 1/n; none: the data set's."
)
_NUM_RUNS = flags.DEFINE_integer(
    "num_runs", None, "Runs; none: 3, or 10 (MNIST, the paper's)."
)
_NUM_EPOCHS = flags.DEFINE_integer(
    "epochs", None, "Epochs; none: 100, 10 (MNIST) or 20 (CIFAR-10)."
)
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", None, "Rate at first; none: 1e-2, or 1e-3 (CIFAR-10)."
)
_NORMALIZATION = flags.DEFINE_enum(
    "normalization",
    "each",
    ["each", "all"],
    "Features: each by its own mean and standard deviation, or all divided by "
    "one standard deviation.",
)
_TRAINS = flags.DEFINE_enum(
    "trains",
    "dense",
    ["dense", "all"],
    "What trains: the dense layers, as in the paper, or all layers.",
)
_NUM_TRAIN = flags.DEFINE_integer(
    "num_train", None, "Training images, the first; none: all."
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for runs, results.json and the figure."
)


def _scales(texts):
    found = []
    for text in texts:
        above, _, below = text.partition("/")
        try:
            found.append(float(above) / float(below or 1))
        except (ValueError, ZeroDivisionError):
            found.append(0.0)
    is_each_once = len(set(found)) == len(found)
    flag_checks.check(
        _SCALE_TEXTS,
        found and is_each_once and all(0 < scale <= 4 for scale in found),
        "numbers or fractions above 0, at most 4, each once",
    )
    return tuple(found)


def _main():
    dataset = _DATASET.value
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    flag_checks.check_fewest(
        ((_NUM_RUNS, 1), (_NUM_EPOCHS, 1), (_NUM_TRAIN, 1))
    )
    flag_checks.check_data_dir(_DATA_DIR.value, [dataset])
    starts = start_flags.starts(_PRESET, _INITIALISATIONS)
    if set(starts) != {"xavier"}:
        flag_lists.check_kernels(_KERNELS, dataset)
    flag_checks.check(
        _NORMALIZATION,
        _TRAINS.value == "dense" or not _NORMALIZATION.present,
        "none beside --trains=all, which standardises nothing",
    )
    rate = _LEARNING_RATE.value
    if rate is None:
        rate = _RATES[dataset]
    flag_checks.check(_LEARNING_RATE, 0 < rate < 1, "0 < x < 1")
    texts = _SCALE_TEXTS.value
    runs = settings.FeaturesRuns(
        starts,
        _scales(_SCALES[dataset] if texts is None else texts),
        _NUM_RUNS.value or _RUNS[dataset],
    )
    config = settings.FeaturesConfig(
        dataset,
        tuple(_KERNELS.value),
        tuple(_AUTOENCODERS.value),
        _NUM_EPOCHS.value or _EPOCHS[dataset],
        learning_rate=rate,
        normalization=_NORMALIZATION.value,
        num_train=_NUM_TRAIN.value,
        trains=_TRAINS.value,
    )
    with files.only_user(_OUTPUT_DIR.value) as folder:
        features_run.run(
            config, runs, _DATA_DIR.value, folder, command_line.command()
        )


if __name__ == "__main__":
    command_line.start(_main)

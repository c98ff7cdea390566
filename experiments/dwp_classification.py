r"""Figures 2 and 5 of the deep weight prior: priors with few examples.

python -m experiments.dwp_classification --output_dir=runs/few
python -m experiments.dwp_classification --dataset=mnist \
    --kernels=conv7x7-train.npy,conv5x5-test.npy \
    --autoencoders=vae7x7.npz,vae5x5.npz --data_dir=<folder> \
    --output_dir=runs/few_mnist

Variational inference over the kernels of a small network (Atanov et al.,
arXiv:1810.06943, Sec. 4.1) under each prior, from each initialisation, on the
same splits. A run that is stopped goes on with the first training that is not
there; commands with other priors, numbers of examples, initialisations, splits
or steps add to the same folder, in which all other settings are those of the
first. The digits, the default, need no data: kernels come from networks on
printed letters, which are trained first. They are a demonstration and not in
the paper.
"""

from absl import flags

from experiments import command_line
from experiments import flag_checks
from experiments import flag_lists
from experiments import lazy
from experiments import strategies
from experiments.dwp import settings
from experiments.dwp import source_flags

classification_run = lazy.import_module("experiments.dwp.classification_run")

_SIZES = {
    "digits": (50,),
    "mnist": (50, 100, 200, 500, 1000),
    "cifar10": (50, 200),
}
_STEPS = {"digits": 500, "mnist": 2000, "cifar10": 1500}
_STARTS = {
    "paper": ("samples", "xavier"),
    "released_code": ("means", "xavier"),
}
_OWN = "log_uniform_additive", "dwp_importance", "dwp_hypernet"
_PRIORS = [name for name in settings.PRIORS if name not in _OWN]

_DATASET = flags.DEFINE_enum("dataset", "digits", list(_SIZES), "Which data.")
_DATA_DIR, _KERNELS, _AUTOENCODERS = source_flags.define()
_PRESET = flags.DEFINE_enum(
    "preset",
    "paper",
    list(_STARTS),
    "released_code: the reverse model stays, L2 is on biases too, and the "
    "decoder's means are what training starts from.",
)
_PRIOR_NAMES = flags.DEFINE_list(
    "priors", _PRIORS, f"Some of {', '.join(settings.PRIORS)}."
)
_INITIALISATIONS = flags.DEFINE_list(
    "initialisations",
    None,
    f"Some of {', '.join(settings.INITIALISATIONS)}; none: the prior's, by "
    "the preset, and xavier.",
)
_NUM_EXAMPLES = flags.DEFINE_list(
    "num_examples", None, "Training examples; none: the data set's."
)
_SPLITS = flags.DEFINE_list("splits", ["0", "1", "2"], "Splits, from 0.")
_NUM_STEPS = flags.DEFINE_integer(
    "num_steps", None, "Steps; none: 500, 2,000 (MNIST) or 1,500 (CIFAR-10)."
)
_NUM_SLICES = flags.DEFINE_integer(
    "num_slices", 256, "Slices of a layer that the KL looks at each step."
)
_KL_SCALE = flags.DEFINE_float(
    "kl_scale", 1.0, "Factor of the KL; 1 is Bayes' rule, and the paper's."
)
_NUM_TEST = flags.DEFINE_integer("num_test", None, "Test images; none: all.")
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for runs, results.json and the figure."
)
_STRATEGY = strategies.define_flag()


def _main():
    dataset, preset = _DATASET.value, _PRESET.value
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    flag_checks.check_fewest(
        ((_NUM_STEPS, 1), (_NUM_SLICES, 1), (_NUM_TEST, 1))
    )
    flag_checks.check_data_dir(_DATA_DIR.value, [dataset])
    flag_lists.check_kernels(_KERNELS, dataset)
    flag_checks.check(_KL_SCALE, 0 <= _KL_SCALE.value < 1e6, "0 <= x < 1e6")
    runs = settings.ClassificationRuns(
        flag_lists.names(_PRIOR_NAMES, list(settings.PRIORS)),
        _SIZES[dataset]
        if _NUM_EXAMPLES.value is None
        else flag_lists.integers(_NUM_EXAMPLES, 10, 10),
        _STARTS[preset]
        if _INITIALISATIONS.value is None
        else flag_lists.names(_INITIALISATIONS, list(settings.INITIALISATIONS)),
        flag_lists.integers(_SPLITS, 0),
        _NUM_STEPS.value or _STEPS[dataset],
    )
    config = settings.ClassificationConfig(
        dataset,
        preset,
        tuple(_KERNELS.value),
        tuple(_AUTOENCODERS.value),
        num_slices=_NUM_SLICES.value,
        kl_scale=_KL_SCALE.value,
        num_test=_NUM_TEST.value,
    )
    with strategies.job(_STRATEGY.value, _OUTPUT_DIR.value) as folder:
        classification_run.run(
            config,
            runs,
            _DATA_DIR.value,
            folder,
            command_line.command(),
            strategies.make(_STRATEGY.value),
        )


if __name__ == "__main__":
    command_line.start(_main, takes_strategy=True)

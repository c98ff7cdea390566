"""Figure 3 of Bayesian hypernetworks: errors after training on few images.

python -m experiments.bhn_regularisation --output_dir=runs/regularisation

Maximum likelihood, MC dropout, and hypernetworks without coupling, with
RealNVP and with inverse autoregressive flows, on 300 digits; with
--dataset=mnist on 5,000 images by the authors' 784-800-10 (200 epochs, batches
of 32, 200 draws). MNIST's 50,000 images: --dataset=mnist --num_train=50000
--batch_size=128 --epochs=30. A command that is stopped goes on with the next
trial; commands with other methods and the same settings may share a folder.
"""

from absl import flags

from experiments import command_line
from experiments import flag_checks
from experiments import lazy
from experiments.bhn import methods
from experiments.bhn import task

exhibit = lazy.import_module("experiments.reporting.exhibit")
image_sets = lazy.import_module("experiments.bhn.image_sets")
regularisation = lazy.import_module("experiments.bhn.regularisation")
regularisation_figure = lazy.import_module(
    "experiments.bhn.regularisation_figure"
)
regularisation_table = lazy.import_module(
    "experiments.bhn.regularisation_table"
)
tables = lazy.import_module("experiments.reporting.tables")
trials = lazy.import_module("experiments.bhn.trials")
workers = lazy.import_module("bbh_tf.workers")

task.define_flags(
    ["digits", "mnist", "cifar10"],
    ["mle", "dropout", "no_coupling", "real_nvp_2", "real_nvp_8", "iaf_8"],
)
_UNITS = flags.DEFINE_list(
    "units", None, "Widths of the hidden layers; none: the data set's."
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", None, "Images in a step; none: the data set's."
)
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", None, "Adam's; none: the data set's."
)
_VALIDATE_EVERY = flags.DEFINE_integer(
    "validate_every", None, "Epochs between validations; none: 5."
)
_ANNEALS = flags.DEFINE_boolean(
    "anneals", False, "Whether the KL grows over the first half."
)
_INITIAL_STD = flags.DEFINE_float(
    "initial_std",
    0.01,
    "Where standard deviations of scales start, relative to the scales.",
)
_STANDARDIZES = flags.DEFINE_boolean(
    "standardizes",
    True,
    "Whether scales start where the first images' activations are "
    "standardised; else at normal values of standard deviation 0.01.",
)
_KL_SCALE = task.define_kl_scale("training images")
_FLAGS = flags.FLAGS
_DATASETS = {
    "digits": {
        "num_train": 300,
        "units": (100,),
        "epochs": 100,
        "batch_size": 32,
        "learning_rate": 3e-3,
        "coupling_units": 50,
    },
    "mnist": {
        "num_train": 5000,
        "units": (800,),
        "epochs": 200,
        "batch_size": 32,
        "learning_rate": 1e-3,
    },
    # Filters of each convolution, width of the dense layer.
    "cifar10": {
        "num_train": None,
        "units": (192, 1000),
        "epochs": 100,
        "batch_size": 128,
        "learning_rate": 1e-3,
    },
}

_NUM_TRIALS = {"digits": 3, "mnist": 3, "cifar10": 1}


def run():
    """Does the trials that are not done, writes table and figure."""
    task.check_flags()
    num_trials = _FLAGS.num_trials or _NUM_TRIALS[_FLAGS.dataset]
    flag_checks.check_fewest([(_BATCH_SIZE, 1), (_VALIDATE_EVERY, 1)])
    chosen = methods.check(_FLAGS.methods)
    units = task.whole_numbers(_UNITS)
    for flag in (_LEARNING_RATE, _INITIAL_STD):
        flag_checks.check(
            flag,
            flag.value is None or 0 < flag.value < 1,
            "a number between 0 and 1",
        )
    flag_checks.check(
        _UNITS,
        _FLAGS.dataset != "cifar10" or not units or len(units) == 2,
        "filters and the dense layer's width for cifar10",
    )
    flag_checks.check(
        _INITIAL_STD,
        _STANDARDIZES.value or not _INITIAL_STD.present,
        "no value with --nostandardizes, where scales start otherwise",
    )
    with task.job() as folder:
        settings = regularisation.Settings(
            dataset=_FLAGS.dataset,
            preset=_FLAGS.preset,
            anneals=_ANNEALS.value,
            initial_std=_INITIAL_STD.value,
            standardizes=_STANDARDIZES.value,
            kl_scale=_KL_SCALE.value,
            **{
                **_DATASETS[_FLAGS.dataset],
                **task.given(
                    "num_train",
                    "num_test",
                    "epochs",
                    "batch_size",
                    "learning_rate",
                    "validate_every",
                ),
                **({"units": units} if units else {}),
            },
        )
        kept = trials.Trials(folder, settings)
        data = image_sets.load(
            settings.dataset,
            _FLAGS.data_dir,
            settings.num_train,
            settings.num_test,
        )
        kept.do_all(
            chosen,
            num_trials,
            lambda method: regularisation.maker(method, settings, data),
            lambda made, method, seed: regularisation.trial(
                made, method, settings, data, seed
            ),
        )
        if not workers.is_chief():
            return
        found = kept.found()
        path = regularisation_figure.write(found, folder)
        rows = regularisation_table.rows(found)
        heading = regularisation_table.HEADING
        notes = [
            settings.described(),
            *trials.own_settings(found),
            *trials.origins(found),
        ]
        exhibit.write(
            folder,
            "Errors after few images (Bayesian hypernetworks, Figure 3)",
            [exhibit.Figure(path.name, regularisation_figure.CAPTION)],
            [exhibit.Table(regularisation_table.CAPTION, heading, rows)],
            notes,
            command_line.command(),
        )
        print(tables.aligned([heading, *rows]))
        print("", regularisation_table.CAPTION, *notes, sep="\n")
    print(f"Figure: {path}")


if __name__ == "__main__":
    command_line.start(run, takes_strategy=True)

"""Anomaly detection with Bayesian hypernetworks.

python -m experiments.bhn_anomaly --output_dir=runs/anomaly

Four scores of a prediction tell wrong answers from right ones, and images that
are no digits from test images: AUROC, and AUPR with either group as the
positive one. Outliers are uniform and normal noise and, of the digits, letters;
with --dataset=mnist, Omniglot (--omniglot_dir), CIFAR-10 in grey (--data_dir)
and notMNIST (--notmnist_dir), all from 0 to 1. --preset=released_code has them
in the authors' mixed scales, with the other faults of that script;
--excluded_class=3 trains without a class and takes its images for outliers. A
command that is stopped goes on with the next trial.
"""

from absl import flags

from experiments import command_line
from experiments import lazy
from experiments.bhn import methods
from experiments.bhn import task

anomaly = lazy.import_module("experiments.bhn.anomaly")
anomaly_figure = lazy.import_module("experiments.bhn.anomaly_figure")
anomaly_table = lazy.import_module("experiments.bhn.anomaly_table")
exhibit = lazy.import_module("experiments.reporting.exhibit")
image_sets = lazy.import_module("experiments.bhn.image_sets")
outlier_sets = lazy.import_module("experiments.bhn.outlier_sets")
tables = lazy.import_module("experiments.reporting.tables")
trials = lazy.import_module("experiments.bhn.trials")
workers = lazy.import_module("bbh_tf.workers")

task.define_flags(["digits", "mnist"], ["mle", "dropout", "real_nvp_4"])
_NOTMNIST_DIR = flags.DEFINE_string(
    "notmnist_dir", None, "Folder of notMNIST; none: without."
)
_OMNIGLOT_DIR = flags.DEFINE_string(
    "omniglot_dir", None, "Folder of Omniglot; none: without."
)
_EXCLUDED_CLASS = flags.DEFINE_integer(
    "excluded_class",
    None,
    "Class that is not trained on; none: all are.",
    lower_bound=0,
    upper_bound=9,
)
_FLAGS = flags.FLAGS
_DATASETS = {
    "digits": {
        "units": (64, 64, 64),
        "epochs": 40,
        "batch_size": 32,
        "num_draws": 100,
        "coupling_units": 64,
        "learning_rate": 3e-3,
    },
    "mnist": {"units": (256, 256, 256), "epochs": 100, "num_draws": 100},
}

_NUM_TRIALS = {"digits": 3, "mnist": 3}


def run():
    """Does the trials that are not done, writes tables and figure."""
    task.check_flags()
    num_trials = _FLAGS.num_trials or _NUM_TRIALS[_FLAGS.dataset]
    chosen = methods.check(_FLAGS.methods)
    with task.job() as folder:
        given = task.given("num_train", "num_test", "epochs")
        data = image_sets.load(
            _FLAGS.dataset,
            _FLAGS.data_dir,
            given.get("num_train"),
            given.get("num_test"),
        )
        data, excluded = anomaly.without(data, _EXCLUDED_CLASS.value)
        outliers = outlier_sets.load(
            data,
            _FLAGS.preset,
            _FLAGS.data_dir if _FLAGS.dataset == "mnist" else None,
            _NOTMNIST_DIR.value,
            _OMNIGLOT_DIR.value,
        )
        if excluded is not None:
            outliers[f"class {_EXCLUDED_CLASS.value}"] = excluded
        settings = anomaly.Settings(
            dataset=_FLAGS.dataset,
            preset=_FLAGS.preset,
            excluded_class=_EXCLUDED_CLASS.value,
            outliers=tuple(outliers),
            **{**_DATASETS[_FLAGS.dataset], **given},
        )
        kept = trials.Trials(folder, settings)
        kept.do_all(
            chosen,
            num_trials,
            lambda method: anomaly.maker(method, settings, data),
            lambda made, method, seed: anomaly.trial(
                made, method, settings, data, outliers, seed
            ),
        )
        if not workers.is_chief():
            return
        found = kept.found()
        path = anomaly_figure.write(found, folder)
        heading, *rows = anomaly_table.auroc(found)
        notes = anomaly_table.notes(settings, found)
        exhibit.write(
            folder,
            "Errors and outliers (Bayesian hypernetworks, anomaly detection)",
            [exhibit.Figure(path.name, anomaly_figure.CAPTION)],
            [
                exhibit.Table(anomaly_table.AUROC, heading, rows),
                exhibit.Table(
                    anomaly_table.AUPR, heading, anomaly_table.aupr(found)[1:]
                ),
            ],
            notes,
            command_line.command(),
        )
        print(tables.aligned([heading, *rows]))
        print("", anomaly_table.AUROC, *notes, sep="\n")
    print(f"Figure: {path}")


if __name__ == "__main__":
    command_line.start(run, takes_strategy=True)

"""Holds what one call chooses against other methods, on data it never saw.

python -m experiments.one_call --output_dir=runs/one_call

`models.bayes_by_hypernet` and `models.bayes_by_backprop`, with nothing but
their defaults, beside MAP, MC dropout and a deep ensemble, whose members are
the plain network. The digits and the tables come with scikit-learn; `mnist`
and `cifar5` with `--data_dir`. A command that is stopped goes on with the next
run when started again.
"""

import math

from absl import flags

from experiments import command_line
from experiments import files
from experiments import flag_checks
from experiments import flag_lists
from experiments import lazy
from experiments import provenance
from experiments import strategies
from experiments import trained_runs
from experiments.defaults import methods
from experiments.defaults import problems
from experiments.defaults import table
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from experiments.reporting import html_page
from experiments.reporting import tables

figure = lazy.import_module("experiments.defaults.figure")
workers = lazy.import_module("bbh_tf.workers")

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for results, the figure and the page."
)
_DATASETS = flags.DEFINE_list(
    "datasets",
    list(problems.NEED_NO_DATA),
    f"Which data sets: {', '.join(problems.DATASETS)}.",
)
_METHODS = flags.DEFINE_list(
    "methods",
    list(methods.TRAINED),
    "Which methods: "
    + "; ".join(f"{name}: {methods.TITLES[name]}" for name in methods.TRAINED)
    + ".",
)
_SPLITS = flags.DEFINE_list(
    "splits",
    ["0", "1", "2", "3", "4"],
    "Splits of the tables, from 0; of images, seeds.",
)
_EPOCHS = flags.DEFINE_integer(
    "epochs", None, "Epochs, in place of each data set's own."
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of prepared TFDS data; none: TFDS' own."
)
_HELD_OUT = flags.DEFINE_bool(
    "held_out",
    False,
    "Test on a quarter of the training set, left out of training: for "
    "choosing defaults.",
)
_LIKELIHOOD_DRAWS = flags.DEFINE_integer(
    "num_likelihood_samples",
    None,
    "Draws under which the calls take the likelihood, in place of their "
    "choice.",
)
_SPLIT_BATCHES = flags.DEFINE_bool(
    "split_batches",
    None,
    "Whether each of these sees a part of the batch only, in place of the "
    "calls' choice.",
)
_LEARNED_PRIOR_SCALE = flags.DEFINE_bool(
    "learned_prior_scale",
    None,
    "Whether the calls' prior learns the scale of each tensor's weights, in "
    "place of their choice.",
)
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", None, "Adam's in the calls, in place of their choice."
)
_KL_SCALE = flags.DEFINE_float(
    "kl_scale", None, "Factor of the KL in the calls, in place of 1."
)
_STRATEGY = strategies.define_flag()


def run():
    """Trains what is not there yet; writes table, figure and page."""
    splits = _check_flags()
    with strategies.job(_STRATEGY.value, _OUTPUT_DIR.value) as folder:
        # What does not belong there is told before hours of training.
        for dataset in _DATASETS.value:
            for method in _METHODS.value:
                for split in splits:
                    _made_before(folder, dataset, method, split)
        found = {
            (dataset, method, split): _of(folder, dataset, method, split)
            for dataset in _DATASETS.value
            for method in _METHODS.value
            for split in splits
        }
        if workers.is_chief(strategies.make(_STRATEGY.value)):
            _write(folder, found)


def _check_flags():
    """Returns the splits."""
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    flag_checks.check_fewest(((_EPOCHS, 1), (_LIKELIHOOD_DRAWS, 1)))
    for flag, choices in (
        (_DATASETS, tuple(problems.DATASETS)),
        (_METHODS, methods.TRAINED),
    ):
        flag_checks.check(
            flag,
            flag.value and set(flag.value) <= set(choices),
            f"some of {', '.join(choices)}",
        )
        flag_checks.check(
            flag, len(set(flag.value)) == len(flag.value), "each once"
        )
    flag_checks.check_data_dir(
        _DATA_DIR.value, _DATASETS.value, problems.NEED_NO_DATA
    )
    scale = _KL_SCALE.value
    flag_checks.check(
        _KL_SCALE,
        scale is None or 0 <= scale < math.inf,
        "a finite number >= 0",
    )
    rate = _LEARNING_RATE.value
    flag_checks.check(
        _LEARNING_RATE,
        rate is None or 0 < rate < math.inf,
        "a finite number > 0",
    )
    if _replaced() and not set(_METHODS.value) & set(methods.CALLS):
        raise ExperimentError(
            f"--{next(iter(_replaced()))}: is of {' and '.join(methods.CALLS)};"
            f" got --methods={','.join(_METHODS.value)}."
        )
    return flag_lists.integers(_SPLITS, 0)


def _settings(dataset, method):
    return {
        "epochs": _EPOCHS.value or problems.DATASETS[dataset].epochs,
        "held_out": _HELD_OUT.value,
        "replaced": _replaced() if method in methods.CALLS else {},
    }


def _path(folder, dataset, method, split):
    return folder / f"{dataset}_{method}_{split}.json"


def _made_before(folder, dataset, method, split):
    return trained_runs.made_before(
        _path(folder, dataset, method, split),
        _settings(dataset, method),
        {"dataset": dataset, "method": method, "split": split},
        "a run",
    )


def _of(folder, dataset, method, split):
    about = problems.DATASETS[dataset]
    settings = _settings(dataset, method)
    found = _made_before(folder, dataset, method, split)
    strategy = strategies.make(_STRATEGY.value)
    if not workers.of_chief(found is not None, strategy):
        problem = problems.load(
            dataset, split, _DATA_DIR.value, _HELD_OUT.value
        )
        with strategy.scope():
            measured = methods.run(
                method,
                about,
                problem,
                split,
                settings["epochs"],
                **settings["replaced"],
            )
        found = {
            "settings": settings,
            "trained": {"dataset": dataset, "method": method, "split": split},
            **measured,
            "num_replicas": strategy.num_replicas_in_sync,
            "provenance": provenance.describe(),
        }
        if workers.is_chief(strategy):
            files.write_json(_path(folder, dataset, method, split), found)
        if found["chosen"]:
            print(found["chosen"], flush=True)
        print(
            f"{about.title}, {methods.TITLES[method]}, split {split}: NLL "
            f"{found['measures']['nll']:.3f}",
            flush=True,
        )
    return found


def _replaced():
    chosen = {
        "learning_rate": _LEARNING_RATE.value,
        "num_likelihood_samples": _LIKELIHOOD_DRAWS.value,
        "split_batches": _SPLIT_BATCHES.value,
        "kl_scale": _KL_SCALE.value,
        "learned_prior_scale": _LEARNED_PRIOR_SCALE.value,
    }
    return {name: x for name, x in chosen.items() if x is not None}


def _write(folder, found):
    rows, notes = table.lines(found), table.notes(found, _HELD_OUT.value)
    print("", tables.aligned([table.HEADING, *rows]), "", *notes, sep="\n")
    name = figure.write(found, folder)
    title = table.title(_replaced())
    command = command_line.command()
    page = html_page.HtmlPage(title)
    if name is not None:
        page.figure((folder / name).read_bytes(), figure.CAPTION)
    page.table(table.HEADING, rows)
    page.notes(notes)
    page.facts({"command": command, **provenance.facts(provenance.describe())})
    page.write(folder / "report.html")
    exhibit.write(
        folder,
        title,
        [] if name is None else [exhibit.Figure(name, figure.CAPTION)],
        [exhibit.Table("One call beside the others.", table.HEADING, rows)],
        notes,
        command,
    )
    print(f"Page: {folder / 'report.html'}")


if __name__ == "__main__":
    command_line.start(run, takes_strategy=True)

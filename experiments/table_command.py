"""What the commands share that make a table: flags, run, output."""

import sys

from absl import flags

from experiments import changes
from experiments import command_line
from experiments import config as configs
from experiments import data_sets
from experiments import flag_checks
from experiments import lazy
from experiments import paper_tables
from experiments import run_figures
from experiments import settings
from experiments import strategies
from experiments.errors import ExperimentError

# They are in the --help of the command that has them.
flags.disclaim_key_flags()

page = lazy.import_module("experiments.reporting.page")
progress = lazy.import_module("experiments.progress")
runner = lazy.import_module("experiments.runner")
table_notes = lazy.import_module("experiments.reporting.table_notes")
tables = lazy.import_module("experiments.reporting.tables")
workers = lazy.import_module("bbh_tf.workers")

_DATASETS = {
    "digits": "scikit-learn's 8 x 8 digits, embedded, with letters as "
    "outliers.",
    "mnist": "MNIST through TFDS.",
    "cifar5": "classes 0 to 4 of CIFAR-10 through TFDS, the others as "
    "outliers.",
}


def start(table):
    """Defines the flags of a table's command, parses them and runs.

    Args:
        table: one of `paper_tables.TABLES`.
    """
    define_flags(table)
    command_line.start(
        lambda: run(config_from_flags(table)), takes_strategy=True
    )


def define_flags(table):
    """Defines the flags of a table's command.

    Args:
        table: one of `paper_tables.TABLES`.
    """
    rows = paper_tables.TABLES[table].rows
    datasets = paper_tables.TABLES[table].datasets
    names = "; ".join(
        f"{key}: {paper_tables.TABLES[table].rows[key].name}" for key in rows
    )
    flags.DEFINE_list(
        paper_tables.TABLES[table].flag,
        list(rows),
        f"Which rows: {names}.",
    )
    flags.DEFINE_string(
        "dataset",
        datasets[0],
        " ".join(f"{name}: {_DATASETS[name]}" for name in datasets),
    )
    flags.DEFINE_string(
        "scale",
        "short",
        "Epochs: "
        + "; ".join(
            f"{name}: full {epochs['full']}, short {epochs['short']}"
            for name, epochs in (
                (name, data_sets.DATASETS[name].epochs) for name in datasets
            )
        )
        + ". smoke: seconds, on a few examples. Annealing is in proportion.",
    )
    flags.DEFINE_integer("epochs", None, "Epochs, in place of the scale's.")
    flags.DEFINE_integer(
        "num_steps", None, "Training steps, in place of epochs."
    )
    flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds, one run each.")
    flags.DEFINE_string(
        "preset",
        "paper",
        "paper: what the paper says. released_code: what the authors' 2018 "
        "code does where it differs.",
    )
    flags.DEFINE_float(
        "kl_scale",
        1.0,
        "Factor on the KL; 1 is Bayes' rule, less a tempered posterior.",
    )
    flags.DEFINE_float(
        "global_clipnorm",
        None,
        "Largest norm of the gradient of all parameters together; "
        + (
            "0: no limit; none: the row's own (bbh_advised on MNIST 100; "
            "others none)."
            if "bbh_advised" in rows
            else "0 or none: no limit."
        ),
    )
    flags.DEFINE_integer(
        "num_prediction_samples",
        100,
        "Draws of the weights at prediction.",
    )
    flags.DEFINE_string(
        "data_dir",
        None,
        "Folder of prepared TFDS data; none: TFDS' own.",
    )
    flags.DEFINE_string(
        "output_dir",
        None,
        "Folder for results, figures and the page. The same command goes on "
        "where it was stopped.",
    )
    flags.DEFINE_float(
        "checkpoint_seconds",
        60.0,
        "Least time between two checkpoints; they take a tenth of all time "
        "at most. A run goes on from the step of its last one.",
    )
    flags.DEFINE_integer(
        "steps_per_execution",
        1,
        "Training steps that TensorFlow takes before Python looks on; a "
        "divisor of the steps of an epoch.",
    )
    flags.DEFINE_bool("jit", False, "Compile with XLA, for a GPU.")
    strategies.define_flag()
    flags.DEFINE_bool(
        "mixed_precision",
        False,
        "Activations in bfloat16; hypernetworks, draws and KL stay float32.",
    )
    if "digits" in datasets:
        _define_mnist_flags()
    flags.DEFINE_bool(
        "keep_model",
        True,
        "Keep each run's model, the last checkpoint, in its folder. "
        "--nokeep_model: remove it when results and figures are there.",
    )
    flags.DEFINE_bool(
        "figures",
        None,
        "Make all figures of the runs in the output folder: attacked images, "
        "posteriors of the weights, turned images. None: at full length.",
    )
    changes.define_flag()
    if "ensemble" in rows:
        flags.DEFINE_integer(
            "num_members",
            None,
            "Members of the ensemble; none: "
            f"{settings.of(datasets[-1], 'ensemble', 'paper')['num_members']}.",
        )
    if "adversarial" in rows:
        flags.DEFINE_integer(
            "divergence_weights",
            None,
            "Weights, chosen at random in each step, that the adversarial "
            "estimate looks at; none: all, which takes seconds a step.",
        )


def _define_mnist_flags():
    flags.DEFINE_integer(
        "num_validation",
        0,
        "Test on that many training examples and not on the test set, to "
        "choose settings (digits only).",
    )
    flags.DEFINE_string(
        "outlier_dir",
        None,
        "Folder with the IDX files of notMNIST, the paper's outliers for "
        "MNIST; none: letters rendered from fonts.",
    )


def config_from_flags(table):
    """Returns the `Config` that the flags ask for.

    Args:
        table: one of `paper_tables.TABLES`.

    Raises:
        ExperimentError: if a flag's value is not as it should be.
    """
    given = flags.FLAGS.flag_values_dict()
    try:
        seeds = tuple(int(seed) for seed in given["seeds"])
    except ValueError as error:
        raise ExperimentError(
            f"--seeds: expected integers; got {','.join(given['seeds'])}."
        ) from error
    config = configs.Config(
        table=table,
        dataset=given["dataset"],
        rows=tuple(given[paper_tables.TABLES[table].flag]),
        seeds=seeds,
        scale=given["scale"],
        preset=given["preset"],
        output_dir=given["output_dir"] or "",
        data_dir=given["data_dir"],
        outlier_dir=given.get("outlier_dir"),
        kl_scale=given["kl_scale"],
        epochs=given["epochs"],
        num_steps=given["num_steps"],
        num_prediction_samples=given["num_prediction_samples"],
        num_validation=given.get("num_validation", 0),
        checkpoint_seconds=given["checkpoint_seconds"],
        steps_per_execution=given["steps_per_execution"],
        jit=given["jit"],
        strategy=given["strategy"],
        mixed_precision=given["mixed_precision"],
        num_members=given.get("num_members"),
        divergence_weights=given.get("divergence_weights"),
        global_clipnorm=given["global_clipnorm"],
        keep_model=given["keep_model"],
        figures=given["figures"],
        changes=changes.from_texts(given["set"]),
    )
    flag_checks.check_had(config)
    return config


def run(config):
    """Runs the experiment, prints the table, makes figures and the page.

    Args:
        config: a `Config`.

    Returns:
        List of result dictionaries.
    """
    # It takes seconds; a wrong flag is told before.
    print("Starting TensorFlow.", file=sys.stderr, flush=True)
    strategy = strategies.make(config.strategy)
    if not workers.is_chief(strategy):
        results = runner.run(config)
        # Whoever leaves first would be taken for lost.
        runner.wait_for_all(strategy)
        return results
    with progress.Bar(config.runs()) as bar:
        results = runner.run(config, bar)
    print(tables.text_table(results))
    for line in table_notes.notes(results):
        print(line)
    if config.makes_figures:
        run_figures.make(
            config.output_dir, config.data_dir, config.scale == "smoke"
        )
    path = page.write(config, results)
    print(f"Page with figures: {path}")
    if not config.keep_model:
        runner.remove_models(config)
    runner.wait_for_all(strategy)
    return results

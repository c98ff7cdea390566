"""Compares the methods of Table 3 on digits: error and uncertainty.

The paper's Table 3 is `--dataset=mnist --scale=full`; `--dataset=digits` needs
no data and takes minutes.
"""

import sys

from absl import flags

from experiments import command_line
from experiments import config as configs
from experiments.errors import ExperimentError

_DATASET = flags.DEFINE_string(
    "dataset",
    "digits",
    "digits: scikit-learn's 8 x 8 digits, embedded, with letters as outliers. "
    "mnist: MNIST through TFDS.",
)
_METHODS = flags.DEFINE_list(
    "methods",
    list(configs.METHODS),
    "Which methods: map (point estimate), bbb (Bayes by Backprop), bbh (Bayes "
    "by Hypernet).",
)
_SCALE = flags.DEFINE_string(
    "scale",
    "short",
    "full: the paper's 100 epochs on MNIST (600 on digits). short: 10 (150). "
    "smoke: seconds, on a few examples. Annealing is in proportion.",
)
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds, one run each.")
_PRESET = flags.DEFINE_string(
    "preset",
    "paper",
    "paper: what the paper says. released_code: what the authors' 2018 code "
    "does where it differs.",
)
_KL_SCALE = flags.DEFINE_float(
    "kl_scale",
    1.0,
    "Factor on the KL; 1 is Bayes' rule, less a tempered posterior.",
)
_NUM_STEPS = flags.DEFINE_integer(
    "num_steps", None, "Training steps, in place of the scale's epochs."
)
_NUM_PREDICTION_SAMPLES = flags.DEFINE_integer(
    "num_prediction_samples", 100, "Draws of the weights at prediction."
)
_NUM_VALIDATION = flags.DEFINE_integer(
    "num_validation",
    0,
    "Test on that many training examples and not on the test set, to choose "
    "settings (digits only).",
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of prepared TFDS data; none: TFDS' own."
)
_OUTLIER_DIR = flags.DEFINE_string(
    "outlier_dir",
    None,
    "Folder with the IDX files of notMNIST, the paper's outliers for MNIST; "
    "none: letters rendered from fonts.",
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "Folder for results, figures and the page. The same command goes on where "
    "it was stopped.",
)
_CHECKPOINT_SECONDS = flags.DEFINE_float(
    "checkpoint_seconds",
    60.0,
    "Least time between two checkpoints; they take a tenth of all time at "
    "most. A run goes on from the step of its last one.",
)


def config_from_flags():
    """Returns the `Config` that the flags ask for.

    Raises:
        ExperimentError: if a flag is not as said.
    """
    try:
        seeds = tuple(int(seed) for seed in _SEEDS.value)
    except ValueError as error:
        raise ExperimentError(
            f"--seeds: expected integers; got {','.join(_SEEDS.value)}."
        ) from error
    return configs.Config(
        dataset=_DATASET.value,
        methods=tuple(_METHODS.value),
        seeds=seeds,
        scale=_SCALE.value,
        preset=_PRESET.value,
        output_dir=_OUTPUT_DIR.value or "",
        data_dir=_DATA_DIR.value,
        outlier_dir=_OUTLIER_DIR.value,
        kl_scale=_KL_SCALE.value,
        num_steps=_NUM_STEPS.value,
        num_prediction_samples=_NUM_PREDICTION_SAMPLES.value,
        num_validation=_NUM_VALIDATION.value,
        checkpoint_seconds=_CHECKPOINT_SECONDS.value,
    )


def run(config):
    """Runs the experiment, prints the table and writes the page.

    Args:
        config: a `Config`.

    Returns:
        List of result dictionaries.
    """
    # Importing TensorFlow takes seconds; a wrong flag is told before.
    print("Starting TensorFlow.", file=sys.stderr, flush=True)
    import tensorflow as tf

    # Each model is traced anew, and TensorFlow would warn of it.
    tf.get_logger().setLevel("ERROR")
    from experiments import page
    from experiments import progress
    from experiments import runner
    from experiments import tables

    with progress.Bar(config.runs()) as bar:
        results = runner.run(config, bar)
    print(tables.text_table(results))
    for line in tables.notes(results):
        print(line)
    path = page.write(config, results)
    print(f"Page with figures: {path}")
    return results


if __name__ == "__main__":
    command_line.start(lambda: run(config_from_flags()))

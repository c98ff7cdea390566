"""What the commands share that attack trained runs (Figures 3 and 4)."""

from absl import flags

from experiments import command_line
from experiments import flag_checks
from experiments import flag_lists
from experiments import lazy
from experiments import paper_tables
from experiments import trained_runs
from experiments.robustness import settings

# They are in the --help of the command that has them.
flags.disclaim_key_flags()

attacked = lazy.import_module("experiments.robustness.attacked")

_FLAGS = flags.FLAGS


def start(data):
    """Defines the flags, parses them and runs.

    Args:
        data: what the paper's figure was taken on, `"MNIST"` or `"CIFAR5"`.
    """
    flags.DEFINE_list("runs", [], "Output folders of experiments.")
    flags.DEFINE_string(
        "data_dir", None, "Folder of prepared TFDS data; none: TFDS' own."
    )
    flags.DEFINE_string("output_dir", None, "Folder for curves and figure.")
    flags.DEFINE_list(
        "epsilons",
        [f"{epsilon:.2f}" for epsilon in settings.EPSILONS],
        f"How far each pixel moves, where {paper_tables.ATTACKS[data][1]}.",
    )
    flags.DEFINE_integer(
        "num_images",
        settings.NUM_IMAGES,
        "How many of the first test images are attacked.",
    )
    flags.DEFINE_integer(
        "num_samples",
        settings.NUM_SAMPLES,
        "Draws of the weights that the attack sees.",
    )
    command_line.start(lambda: run(data))


def run(data):
    """Attacks all runs, prints the accuracies and draws the figure.

    Args:
        data: see `start`.

    Raises:
        ExperimentError: with one line that says what is wrong.
    """
    epsilons = _check_flags()
    # First, so that it is told before TensorFlow starts.
    trained = trained_runs.find(_FLAGS.runs)
    attacked.make(
        trained,
        data,
        _FLAGS.data_dir,
        _FLAGS.output_dir,
        epsilons,
        _FLAGS.num_images,
        _FLAGS.num_samples,
    )


def _check_flags():
    epsilons = flag_lists.floats(
        _FLAGS["epsilons"], lambda x: 0 <= x < 10, "numbers from 0 up to 10"
    )
    flag_checks.check_fewest(
        ((_FLAGS["num_images"], 1), (_FLAGS["num_samples"], 1))
    )
    flag_checks.check_output_dir(_FLAGS.output_dir)
    return epsilons

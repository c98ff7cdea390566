r"""Turned digits, mixed digits and calibration: the authors' other analyses.

python -m experiments.mnist_shift --runs=runs/mnist_methods \
    --data_dir=<TFDS folder> --output_dir=runs/shift

Reads the checkpoints of runs that are done. Their code turns three digits of
the test set little by little, and mixes two; here all runs are shown side by
side, with their draws' spread, and the test set is turned as well. Its
calibration curve was computed against labels that are all one, so that it
showed nothing; here it has the labels, intervals, and what chance alone would
give. A run looked at once is not looked at again.
"""

from absl import flags

from experiments import command_line
from experiments import flag_checks
from experiments import lazy
from experiments import trained_runs
from experiments.shift import settings

shown = lazy.import_module("experiments.shift.shown")

_RUNS = flags.DEFINE_list("runs", [], "Output folders of experiments.")
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of prepared TFDS data; none: TFDS' own."
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for figures and numbers."
)
_IDX_DIR = flags.DEFINE_string(
    "idx_dir",
    None,
    "Folder with MNIST's test set as published, t10k-images-idx3-ubyte and "
    "t10k-labels-idx1-ubyte, gzipped or not: the authors' digits are places "
    "in it, and TFDS has another order. None: other digits of their classes.",
)
_INDICES = flags.DEFINE_list(
    "indices",
    [],
    "Places of a 3, a 1, a 6 and an 8 in the test set; none: the authors' "
    "with --idx_dir, else the first of each.",
)
_NUM_IMAGES = flags.DEFINE_integer(
    "num_images",
    settings.NUM_IMAGES,
    "How many of the first test images are turned.",
)
_NUM_SAMPLES = flags.DEFINE_integer(
    "num_samples", None, "Draws of the weights; none: each run's own number."
)


def run():
    """Looks at all runs; writes figures, numbers and a finding."""
    indices = _check_flags()
    # First, so that it is told before TensorFlow starts.
    trained = trained_runs.find(_RUNS.value)
    shown.make(
        trained,
        _DATA_DIR.value,
        _OUTPUT_DIR.value,
        _NUM_IMAGES.value,
        _NUM_SAMPLES.value,
        _IDX_DIR.value,
        indices,
    )


def _check_flags():
    """Returns the places of the digits, or None."""
    indices = None
    if _INDICES.value:
        try:
            indices = [int(place) for place in _INDICES.value]
        except ValueError:
            indices = []
        flag_checks.check(
            _INDICES,
            len(indices) == 4 and min(indices) >= 0,
            "four places, of a 3, a 1, a 6 and an 8",
        )
    flag_checks.check_fewest(((_NUM_IMAGES, 1), (_NUM_SAMPLES, 1)))
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    return indices


if __name__ == "__main__":
    command_line.start(run)

"""Images of a data set, or one line that says why there are none."""

import functools

from experiments import lazy
from experiments.errors import ExperimentError

bbh = lazy.import_module("bbh_tf")


# What several runs are looked at on is read once.
@functools.lru_cache(maxsize=1)
def load(dataset, data_dir):
    """Loads a data set.

    Args:
        dataset: its name.
        data_dir: folder of prepared TFDS data, or None.

    Returns:
        A `bbh_tf.datasets.ImageData`.

    Raises:
        ExperimentError: if it is not there or not as it should be.
    """
    try:
        return bbh.datasets.load(dataset, data_dir=data_dir)
    except (ValueError, OSError, ImportError) as error:
        raise ExperimentError(f"--data_dir: {error}") from error

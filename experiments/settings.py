"""What a method sets on a data set, under a preset."""

from experiments.data_sets import DATASETS
from experiments.methods import METHODS

# What the authors' code has for all methods.
_RELEASED = {
    "epsilon": 1e-5,
    "released_kernel": True,
    "released_slices": True,
    "released_mnf": True,
    "discriminator_steps": 1,
}


def of(dataset, method, preset):
    """Returns what a method sets on a data set.

    Args:
        dataset: one of `DATASETS`.
        method: one of `METHODS`.
        preset: `"paper"` or `"released_code"`.

    Returns:
        Dictionary of `RunConfig`'s attributes, and `"anneals"`, a bool, where
        the KL is annealed.
    """
    return {
        **DATASETS[dataset].network,
        **(_RELEASED if preset == "released_code" else {}),
        **METHODS[method].settings_on(dataset, preset),
    }

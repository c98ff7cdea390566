"""Measures of an order in which some have no order."""

import numpy as np


def averaged(values, keys):
    """Replaces values by the mean of all that have the same key.

    A measure of the values in the order of their keys is then the same in
    whatever order the examples come: for sums, the mean over all orders.

    Args:
        values: float array `(examples,)`.
        keys: array `(examples,)`.

    Returns:
        float64 array `(examples,)`.
    """
    return averaged_within(values, *groups(keys))


def groups(keys):
    """Returns the group of each example that its key puts it in, and sizes.

    Args:
        keys: array `(examples,)`.

    Returns:
        `(place, count)`: integer arrays `(examples,)` and `(groups,)`.
    """
    _, place, count = np.unique(keys, return_inverse=True, return_counts=True)
    return place, count


def averaged_within(values, place, count):
    """Replaces values by the mean of their group; see `groups`."""
    return (np.bincount(place, values) / count)[place]

"""One number for a whole set of predictive entropies."""

import math

import numpy as np

from bbh_tf import checks
from bbh_tf.uncertainty.checks import check_vector

_VARIANTS = ("exact", "released_code")
_NUM_EDGES = 500
# Entropies computed in float32 may pass log(num_classes) by this much.
_RANGE_TOLERANCE = 1e-5


def entropy_auc(entropies, num_classes, variant="exact"):
    """Area under the empirical CDF of predictive entropies.

    HIGHER IS MORE CONFIDENT: 1 where every prediction is certain, 0 where
    every one is uniform. Wanted: high on the test set, low on outliers.

    `variant="exact"` integrates the step function over
    `[0, log(num_classes)]` and divides by that length, which is
    `1 - mean(entropies) / log(num_classes)`.

    `variant="released_code"` repeats the histogram of the authors' code,
    for comparison with numbers made by it: 499 bins with edges
    `k * log(num_classes) / 500`, `k = 0 .. 499`; values above the last edge
    are dropped and the rest is normalised by itself; the cumulative sum is
    multiplied by the bin width. It is NOT divided by `log(num_classes)`,
    so it lies in `[0, 0.998 * log(num_classes)]`. Once divided, and where
    nothing is dropped, it agrees with `"exact"` to 2e-3.

    Args:
        entropies: array-like, `(examples,)`, in nats.
        num_classes: int of at least 2.
        variant: `"exact"` or `"released_code"`.

    Returns:
        float; without unit for `"exact"`, in nats for `"released_code"`.

    Raises:
        ValueError: if `entropies` has a wrong rank, is empty or not finite,
            or leaves `[0, log(num_classes)]`; if `num_classes` is not an
            integer of at least 2; if `variant` is unknown; for
            `"released_code"`, if every entropy lies above the last edge,
            where that figure is undefined.

    References:
        Pawlowski et al., "Implicit Weight Uncertainty in Neural Networks",
        arXiv:1711.01297 (areas under the CDF of predictive entropy for
        test images and outliers, normalised by the maximum entropy).

    Example:
    ```python
    entropy_auc([0.0, np.log(10)], num_classes=10)  # 0.5
    ```
    """
    if variant not in _VARIANTS:
        raise ValueError(
            f"variant: expected one of {', '.join(_VARIANTS)}, got {variant!r}."
        )
    if not checks.is_count(num_classes, fewest=2):
        raise ValueError(
            f"num_classes: expected an integer of at least 2, "
            f"got {num_classes!r}."
        )
    values = check_vector(entropies, "entropies")
    maximum = math.log(num_classes)
    low, high = float(np.min(values)), float(np.max(values))
    if low < -_RANGE_TOLERANCE or high > maximum + _RANGE_TOLERANCE:
        raise ValueError(
            f"entropies: expected values in [0, log({num_classes}) = "
            f"{maximum:.6f}] nats, got {low:.6g} to {high:.6g}."
        )
    values = np.clip(values, 0.0, maximum)
    if variant == "exact":
        return float(1.0 - np.mean(values) / maximum)
    return _histogram_auc(values, maximum)


def _histogram_auc(values, maximum):
    width = maximum / _NUM_EDGES
    # numpy.arange(0, maximum, width) gives these very edges for 5 and 10
    # classes but, by round-off, one more for some other numbers of classes.
    edges = width * np.arange(_NUM_EDGES)
    if np.all(values > edges[-1]):
        raise ValueError(
            f"entropies: the released_code variant is undefined when all lie "
            f"above its last edge {edges[-1]:.6f}; use variant='exact'."
        )
    density, _ = np.histogram(values, bins=edges, density=True)
    return float(np.sum(np.cumsum(density) * width) * width)

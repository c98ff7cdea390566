"""Refusals shared by the measures: what an input must be, in one line."""

import numpy as np

from bbh_tf import checks


def check_unmasked(values, name):
    """Turns `values` into an array, of which nothing is hidden.

    Args:
        values: array-like of any kind.
        name: str, what the caller calls it.

    Returns:
        Array of the same shape.

    Raises:
        ValueError: if it is a masked array of NumPy, with some masked: what
            lies below the mask would count.
    """
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name}: expected an array without masked values, got "
            f"{np.ma.count_masked(values)}."
        )
    return np.asarray(values)


def check_floats(values, name):
    """Turns `values` into a finite, non-empty float64 array.

    Args:
        values: array-like of real numbers, any shape.
        name: str, what the caller calls it; it opens every error line.

    Returns:
        float64 array of the same shape.

    Raises:
        ValueError: if it is not numeric, is empty, or holds NaN, inf or what
            is masked.
    """
    array = check_unmasked(values, name)
    if array.dtype.kind in "cOSUmM":
        raise ValueError(
            f"{name}: expected real numbers, got dtype {array.dtype}."
        )
    array = array.astype(np.float64)
    if array.size == 0:
        raise ValueError(
            f"{name}: expected at least one value, got shape {array.shape}."
        )
    num_bad = int(np.sum(~np.isfinite(array)))
    if num_bad:
        raise ValueError(
            f"{name}: expected finite values, got {num_bad} NaN or inf."
        )
    return array


def check_vector(values, name):
    """Checks numbers of which each example has one.

    Args:
        values: array-like of real numbers, `(examples,)`.
        name: str, what the caller calls it.

    Returns:
        float64 array of the same shape.

    Raises:
        ValueError: on a wrong rank, or as `check_floats` does.
    """
    array = check_floats(values, name)
    if array.ndim != 1:
        raise ValueError(
            f"{name}: expected shape (examples,), got {array.shape}."
        )
    return array


def check_probabilities(probabilities, axes=None, name="probabilities"):
    """Checks that the last axis holds probability distributions.

    Args:
        probabilities: array-like, `(..., classes)`.
        axes: tuple of str naming the axes, which fixes the rank, unless there
            is an `"..."` among them, for any number of axes; `None` accepts
            any rank of at least 1.
        name: str, what the caller calls it.

    Returns:
        float64 array of the same shape, the values unchanged.

    Raises:
        ValueError: on a wrong rank, an empty array, NaN or inf, one class
            only, an entry below 0, or a row whose sum is off 1 by more than
            1e-3.
    """
    array = check_floats(probabilities, name)
    expected = f"({', '.join(axes)})" if axes else "(..., classes)"
    if array.ndim == 0 or (axes and not _fits(array.ndim, axes)):
        raise ValueError(
            f"{name}: expected shape {expected}, got {array.shape}."
        )
    check_classes(array, name)
    smallest = float(np.min(array))
    if smallest < 0:
        raise ValueError(
            f"{name}: expected values in [0, 1], got {smallest:.6g}."
        )
    sums = np.sum(array, axis=-1)
    worst = float(sums.flat[np.argmax(np.abs(sums - 1))])
    if abs(worst - 1) > checks.ROW_SUM_TOLERANCE:
        raise ValueError(
            f"{name}: expected rows that sum to 1 over the last axis, "
            f"got a sum of {worst:.6g}."
        )
    return array


def check_samples(sample_probabilities):
    """Checks draws of probability distributions.

    Args:
        sample_probabilities: array-like, `(num_samples, examples, ...,
            classes)`.

    Returns:
        float64 array of the same shape, the values unchanged.

    Raises:
        ValueError: as `check_probabilities` does.
    """
    return check_probabilities(
        sample_probabilities,
        ("num_samples", "examples", "...", "classes"),
        "sample_probabilities",
    )


def check_classes(array, name):
    """Refuses a last axis of one class, of which nothing can be said.

    Raises:
        ValueError: naming what a single output may have been; or if there is
            no axis.
    """
    if array.ndim == 0:
        raise ValueError(f"{name}: expected shape (..., classes), got ().")
    if array.shape[-1] == 1:
        raise ValueError(
            f"{name}: expected two classes or more along the last axis, got "
            f"shape {array.shape}; of labels that are 0 or 1 give both classes."
        )


def check_logits(logits):
    """Checks logits of classes: finite, and not through a softmax already.

    Args:
        logits: array-like, `(..., classes)`.

    Returns:
        float64 array of the same shape.

    Raises:
        ValueError: if it is empty, not finite, of one class or none, or all
            of its rows are probabilities.
    """
    array = check_floats(logits, "logits")
    check_classes(array, "logits")
    if checks.are_probabilities(array):
        raise ValueError(
            "logits: expected outputs without a softmax; got probabilities, "
            "rows that sum to 1. Their logarithm will do."
        )
    return array


def _fits(rank, axes):
    if "..." in axes:
        return rank >= len(axes) - 1
    return rank == len(axes)


def check_labels(labels, shape, num_classes):
    """Checks class labels against the probabilities they belong to.

    Args:
        labels: array-like of integers, `(examples, ...)`.
        shape: the shape that they must have, a tuple.
        num_classes: int, the number of columns of the probabilities.

    Returns:
        int64 array of that shape.

    Raises:
        ValueError: on a wrong rank or length, a dtype that is not an
            integer one, or a label outside `0 .. num_classes - 1`.
    """
    array = check_unmasked(labels, "labels")
    if array.ndim != len(shape):
        axes = "(examples,)" if len(shape) == 1 else f"{shape}"
        raise ValueError(f"labels: expected shape {axes}, got {array.shape}.")
    if array.shape != shape:
        wanted, found = (
            x[0] if len(x) == 1 else x for x in (shape, array.shape)
        )
        raise ValueError(
            f"labels: expected {wanted} labels, one for each row of "
            f"the probabilities, got {found}."
        )
    if array.dtype.kind not in "iu":
        raise ValueError(
            f"labels: expected integer class numbers, got dtype {array.dtype}."
        )
    low, high = int(np.min(array)), int(np.max(array))
    if low < 0 or high >= num_classes:
        raise ValueError(
            f"labels: expected values in 0..{num_classes - 1}, "
            f"got {low if low < 0 else high}."
        )
    return array.astype(np.int64)


def check_classified(probabilities, labels):
    """Checks a pair of predictions and true labels.

    Args:
        probabilities: array-like, `(examples, ..., classes)`.
        labels: array-like of integers, `(examples, ...)`.

    Returns:
        The pair as a float64 array `(rows, classes)` and an int64 array
        `(rows,)`: each pixel of a segmentation, say, is a row.

    Raises:
        ValueError: as `check_probabilities` and `check_labels` do.
    """
    probabilities = check_probabilities(
        probabilities, ("examples", "...", "classes")
    )
    *shape, num_classes = probabilities.shape
    labels = check_labels(labels, tuple(shape), num_classes)
    return probabilities.reshape(-1, num_classes), labels.reshape(-1)

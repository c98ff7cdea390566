"""How far confidence and accuracy are apart."""

import dataclasses

import numpy as np

from bbh_tf import checks
from bbh_tf.uncertainty import binning as bins_of
from bbh_tf.uncertainty.checks import check_classified


@dataclasses.dataclass(frozen=True, eq=False)
class ReliabilityDiagram:
    """Accuracy against confidence, bin by bin.

    Attributes:
        edges: float64 array `(num_bins + 1,)`, from 0 to 1; bin `i` holds
            the confidences in `(edges[i], edges[i + 1]]`. Of bins of equal
            mass, those of equal confidence may be on both sides of an edge.
        confidence: float64 array `(num_bins,)`, mean confidence of a bin,
            NaN where the bin is empty.
        accuracy: float64 array `(num_bins,)`, share of right predictions
            of a bin, NaN where the bin is empty. (Of bins of equal mass, what
            is equally confident counts as equally right.)
        count: int64 array `(num_bins,)`, examples in a bin.
    """

    edges: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    count: np.ndarray


def reliability_diagram(probabilities, labels, num_bins=15, binning="width"):
    """Bins predictions by their confidence, the highest probability.

    Bins of equal width are closed on the right, so a confidence of exactly 1
    is counted, in the last one. Bins of equal mass hold as many predictions
    each, but for one.

    Args:
        probabilities: array-like, `(examples, ..., classes)`.
        labels: array-like of integers, `(examples, ...)`.
        num_bins: int of at least 1.
        binning: `"width"` or `"mass"`.

    Returns:
        A `ReliabilityDiagram`; its counts add up to the examples.

    Raises:
        ValueError: if the probabilities are not distributions, the labels
            are not integers within range, the lengths differ,
            `num_bins` is not a positive integer, or `binning` is unknown.
    """
    bins, right = _binned(probabilities, labels, num_bins, binning)
    return ReliabilityDiagram(
        bins.edges, bins.confidence, bins.accuracy(right), bins.count
    )


def expected_calibration_error(
    probabilities, labels, num_bins=15, binning="width"
):
    """Mean gap between confidence and accuracy over bins.

    `sum_b (count_b / examples) * |accuracy_b - confidence_b|`, with the
    bins of `reliability_diagram`. With `binning="mass"` it is also called
    adaptive: of a sure model, most bins of equal width are nearly empty.

    Args:
        probabilities: array-like, `(examples, ..., classes)`.
        labels: array-like of integers, `(examples, ...)`.
        num_bins: int of at least 1.
        binning: `"width"` or `"mass"`.

    Returns:
        float in `[0, 1]`; 0 where every bin is as accurate as confident.

    Raises:
        ValueError: as `reliability_diagram` does.

    References:
        Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural
        Networks", ICML 2017, arXiv:1706.04599, equation 3.
        Nguyen, O'Connor, "Posterior calibration and exploratory analysis for
        natural language processing models", EMNLP 2015, arXiv:1508.05154
        (bins of equal mass).

    Example:
    ```python
    # Half certain and wrong, half right at 0.75: (1.0 + 0.25) / 2.
    expected_calibration_error([[1.0, 0.0], [0.75, 0.25]], [1, 0])  # 0.625
    ```
    """
    bins, right = _binned(probabilities, labels, num_bins, binning)
    return bins.error(right)


def _binned(probabilities, labels, num_bins, binning):
    """Checks arguments, and returns a `Binning` and what is right."""
    if binning not in bins_of.BINNINGS:
        raise ValueError(
            f"binning: expected one of {', '.join(bins_of.BINNINGS)}, got "
            f"{binning!r}."
        )
    if not checks.is_count(num_bins):
        raise ValueError(
            f"num_bins: expected a positive integer, got {num_bins!r}."
        )
    probabilities, labels = check_classified(probabilities, labels)
    confidences = np.max(probabilities, axis=-1)
    right = np.argmax(probabilities, axis=-1) == labels
    return bins_of.Binning(confidences, num_bins, binning), right

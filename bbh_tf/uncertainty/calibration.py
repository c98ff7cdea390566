"""How far confidence and accuracy are apart."""

import dataclasses

import numpy as np

from bbh_tf import checks
from bbh_tf.uncertainty import ties
from bbh_tf.uncertainty.checks import check_classified

_BINNINGS = ("width", "mass")


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
    if binning not in _BINNINGS:
        raise ValueError(
            f"binning: expected one of {', '.join(_BINNINGS)}, got {binning!r}."
        )
    if not checks.is_count(num_bins):
        raise ValueError(
            f"num_bins: expected a positive integer, got {num_bins!r}."
        )
    probabilities, labels = check_classified(probabilities, labels)
    confidences = np.max(probabilities, axis=-1)
    right = np.argmax(probabilities, axis=-1) == labels
    if binning == "width":
        edges, index = _equal_width(confidences, num_bins)
    else:
        edges, index = _equal_mass(confidences, num_bins)
        right = ties.averaged(right, confidences)
    count = np.bincount(index, minlength=num_bins)
    # 0 / NaN is NaN without the warning that 0 / 0 would give.
    divisor = np.where(count > 0, count, np.nan)
    return ReliabilityDiagram(
        edges=edges,
        confidence=np.bincount(index, confidences, num_bins) / divisor,
        accuracy=np.bincount(index, right, num_bins) / divisor,
        count=count,
    )


def _equal_width(confidences, num_bins):
    edges = np.arange(num_bins + 1) / num_bins
    # Only the inner edges are searched: whatever round-off puts above 1
    # lands in the last bin instead of nowhere.
    return edges, np.searchsorted(edges[1:-1], confidences, side="left")


def _equal_mass(confidences, num_bins):
    order = np.argsort(confidences, kind="stable")
    count = len(order)
    index = np.empty(count, int)
    index[order] = np.arange(count) * num_bins // count
    # The first of each bin; of more bins than predictions, some are empty.
    first = -(-np.arange(1, num_bins) * count // num_bins)
    ranked = np.append(confidences[order], confidences.max())
    edges = (ranked[first - 1] + ranked[first]) / 2
    return np.concatenate([[0.0], edges, [1.0]]), index


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
    diagram = reliability_diagram(probabilities, labels, num_bins, binning)
    filled = diagram.count > 0
    gaps = np.abs(diagram.accuracy[filled] - diagram.confidence[filled])
    return float(np.average(gaps, weights=diagram.count[filled]))

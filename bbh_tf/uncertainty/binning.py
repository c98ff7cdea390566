"""Predictions in bins of their confidence, whatever turns out right."""

import numpy as np

from bbh_tf.uncertainty import ties

BINNINGS = ("width", "mass")


class Binning:
    """Bins of confidences; see `bbh_tf.uncertainty.reliability_diagram`.

    Args:
        confidences: float array `(examples,)`.
        num_bins: int of at least 1.
        binning: `"width"` or `"mass"`.

    Attributes:
        edges, confidence, count: see `ReliabilityDiagram`.
    """

    def __init__(self, confidences, num_bins, binning):
        self._ties = None
        if binning == "width":
            self.edges, self._index = _equal_width(confidences, num_bins)
        else:
            self.edges, self._index = _equal_mass(confidences, num_bins)
            self._ties = ties.groups(confidences)
        self.count = np.bincount(self._index, minlength=num_bins)
        # 0 / NaN is NaN without the warning that 0 / 0 would give.
        self._divisor = np.where(self.count > 0, self.count, np.nan)
        self.confidence = self._means(confidences)

    def accuracy(self, right):
        """Returns the share of right predictions of each bin.

        Args:
            right: bool array `(examples,)`.

        Returns:
            float64 array `(num_bins,)`, NaN where the bin is empty.
        """
        if self._ties is not None:
            right = ties.averaged_within(right, *self._ties)
        return self._means(right)

    def error(self, right):
        """Returns the mean gap between accuracy and confidence, a float."""
        filled = self.count > 0
        gaps = np.abs(self.accuracy(right) - self.confidence)[filled]
        return float(np.average(gaps, weights=self.count[filled]))

    def _means(self, values):
        num_bins = len(self.count)
        return np.bincount(self._index, values, num_bins) / self._divisor


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

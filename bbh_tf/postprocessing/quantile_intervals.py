"""Conformal intervals from a model's own."""

import numpy as np

from bbh_tf.postprocessing import conformal


class QuantileIntervals(conformal.SplitConformal):
    """A model's own intervals, widened or narrowed to their stated coverage.

    The two ends may be predicted quantiles of any kind, say those of
    `predict_uncertainty(x, level=0.9)`; both are moved by the quantile of how
    far held-out labels lie outside (or, negative, inside).

    Args:
        level: probability that an interval contains the label; for labels
            of several numbers, each of them by itself.

    Raises:
        ValueError: if the level is not between 0 and 1.

    Example:
    ```python
    intervals = bbh_tf.postprocessing.QuantileIntervals(level=0.5)
    intervals.calibrate([0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.5, 1.5, -0.1])
    intervals.predict([0.0], [2.0])  # [[-0.1], [2.1]]
    ```

    References:
        Romano, Patterson, Candes, "Conformalized Quantile Regression",
        NeurIPS 2019, arXiv:1905.03222.
    """

    def calibrate(self, lower, upper, labels):
        """Finds the threshold.

        Args:
            lower: array-like, `(examples, ...)`, lower ends.
            upper: array-like of that shape, upper ends.
            labels: array-like of that shape, none of which the model was
                trained on.

        Returns:
            Itself.

        Raises:
            ValueError: if shapes differ, there is NaN or inf, a lower end is
                above its upper one, or there are too few examples for the
                level.
        """
        lower, upper = _ends(lower, upper)
        labels = conformal.check_numbers(labels, "labels", lower.shape)
        return self._calibrate(
            np.maximum(lower - labels, labels - upper), lower.shape[1:]
        )

    def predict(self, lower, upper):
        """Returns the intervals.

        Args:
            lower: array-like, `(examples, ...)`, lower ends.
            upper: array-like of that shape, upper ends.

        Returns:
            `(lower, upper)`: float64 arrays of that shape. Where the model's
            own interval is narrower than what is taken off it, the upper end
            lies below the lower one, and no label is inside.

        Raises:
            ValueError: if it is not calibrated, ends are of another shape than
                there but for the examples, or as `calibrate` does.
        """
        lower, upper = _ends(lower, upper)
        self._check_alike(lower.shape[1:], "labels of an example of shape")
        threshold = self.threshold
        return conformal.outward(lower - threshold, upper + threshold)


def _ends(lower, upper):
    lower = conformal.check_numbers(lower, "lower")
    upper = conformal.check_numbers(upper, "upper", lower.shape)
    if np.any(lower > upper):
        raise ValueError(
            "lower: expected numbers that are at most upper, got "
            f"{int(np.sum(lower > upper))} above it."
        )
    return lower, upper

"""Conformal intervals as wide as held-out predictions were wrong."""

import numpy as np

from bbh_tf.postprocessing import conformal


class AbsoluteIntervals(conformal.SplitConformal):
    """Intervals of one width around predictions of numbers.

    Half the width is the quantile of `|label - prediction| / scale` times the
    example's scale: the predictive standard deviation, say, which makes
    intervals wide where the model is unsure. Without scales all are alike.

    Args:
        level: probability that an interval contains the label; for labels
            of several numbers, each of them by itself.

    Raises:
        ValueError: if the level is not between 0 and 1.

    Example:
    ```python
    intervals = bbh_tf.postprocessing.AbsoluteIntervals(level=0.5)
    intervals.calibrate([0.0, 0.0, 0.0], [0.1, -0.2, 0.4])
    intervals.predict([1.0])  # [[0.8], [1.2]]
    ```

    References:
        Lei et al., "Distribution-Free Predictive Inference for Regression",
        JASA 2018, arXiv:1604.04173, Algorithm 2, and Sec. 5.2 for scales.
    """

    def calibrate(self, predictions, labels, scales=None):
        """Finds the threshold.

        Args:
            predictions: array-like, `(examples, ...)`.
            labels: array-like of that shape, none of which the model was
                trained on.
            scales: array-like of that shape, above 0, or None for 1.

        Returns:
            Itself.

        Raises:
            ValueError: if shapes differ, there is NaN or inf, a scale is not
                above 0, or there are too few examples for the level.
        """
        predictions = conformal.check_numbers(predictions, "predictions")
        labels = conformal.check_numbers(labels, "labels", predictions.shape)
        residuals = np.abs(labels - predictions)
        return self._calibrate(
            residuals / _scales(scales, predictions.shape),
            _trait(predictions, scales),
        )

    def predict(self, predictions, scales=None):
        """Returns the intervals.

        Args:
            predictions: array-like, `(examples, ...)`.
            scales: as `calibrate` was given.

        Returns:
            `(lower, upper)`: float64 arrays of that shape.

        Raises:
            ValueError: if it is not calibrated, predictions are of another
                shape than there but for the examples, scales were given there
                and are not here, or the reverse; or as `calibrate` does.
        """
        predictions = conformal.check_numbers(predictions, "predictions")
        self._check_alike(_trait(predictions, scales), "predictions and scales")
        half = self.threshold * _scales(scales, predictions.shape)
        return conformal.outward(predictions - half, predictions + half)


def _trait(predictions, scales):
    shape = ("examples", *predictions.shape[1:])
    known = "without" if scales is None else "with"
    return f"({', '.join(map(str, shape))}) {known} scales"


def _scales(scales, shape):
    if scales is None:
        return 1.0
    scales = conformal.check_numbers(scales, "scales", shape)
    if scales.min() <= 0:
        raise ValueError(
            f"scales: expected numbers above 0, got {scales.min():.6g}."
        )
    return scales

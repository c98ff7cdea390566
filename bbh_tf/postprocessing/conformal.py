"""What split conformal prediction asks of scores: their quantile, and checks.

Scores of held-out examples and of a new one are exchangeable, so the new one's
is among the k smallest of all n + 1 with probability k / (n + 1). With

    k = ceil((n + 1) * level)

and the k-th smallest held-out score as threshold, a new example is covered
with that probability, on average over held-out sets and new examples, whatever
the model.

References:
    Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World", 2005.
    Lei et al., "Distribution-Free Predictive Inference for Regression", JASA
    2018, arXiv:1604.04173, Theorem 2.2.
"""

import math

import numpy as np

from bbh_tf import checks as counts
from bbh_tf.uncertainty import checks

# Of 100 * 0.07, say, which is 7 and a bit.
_ROUND_OFF = 1e-9
# Of a score and an interval, each of up to four operations.
_SPACINGS = 8


class SplitConformal:
    """Holds the level and, once calibrated, the threshold of the scores.

    Args:
        level: probability with which a label is to be covered.

    Raises:
        ValueError: if the level is not between 0 and 1.
    """

    def __init__(self, level=0.9):
        if not counts.is_number(level) or not 0 < level < 1:
            raise ValueError(
                "Expected level to be a probability between 0 and 1; got "
                f"{level!r}."
            )
        self.level = float(level)
        self._threshold = None
        self._trait = None

    @property
    def threshold(self):
        """The largest score that is covered; `ValueError` if not calibrated."""
        if self._threshold is None:
            raise ValueError(
                f"{type(self).__name__}: expected `calibrate` with held-out "
                "data first."
            )
        return self._threshold

    def _calibrate(self, scores, trait):
        """Takes the threshold from held-out scores, `(examples, ...)`.

        Args:
            scores: array, one score for each label.
            trait: what `predict` must be given alike; see `_check_alike`.
        """
        count = len(scores)
        place = max(math.ceil((count + 1) * self.level - _ROUND_OFF), 1)
        if place > count:
            fewest = math.ceil(self.level / (1 - self.level) - _ROUND_OFF)
            raise ValueError(
                f"calibrate: expected at least {fewest} examples for a level "
                f"of {self.level:g}; got {count}."
            )
        found = np.partition(scores, place - 1, axis=0)[place - 1]
        self._threshold = float(found) if found.ndim == 0 else found
        self._trait = trait
        return self

    def _check_alike(self, trait, what):
        """Refuses what is not as `calibrate` was given it.

        Args:
            trait: a number of classes, say.
            what: what the caller calls it.

        Raises:
            ValueError: if it is another, or nothing is calibrated.
        """
        _ = self.threshold
        if trait != self._trait:
            raise ValueError(
                f"{type(self).__name__}.predict: expected {what} as in "
                f"`calibrate`, {self._trait}; got {trait}."
            )


def outward(lower, upper):
    """Moves ends of intervals outward by what round-off may have taken.

    A label that is as far out as the threshold says is inside, which matters
    where many are: labels that are whole numbers, say.

    Args:
        lower: float64 array.
        upper: float64 array of that shape.

    Returns:
        Both, further out by a few times the spacing of such numbers.
    """
    slack = _SPACINGS * np.spacing(np.maximum(np.abs(lower), np.abs(upper)))
    return lower - slack, upper + slack


def check_sets(probabilities):
    """Checks probabilities `(examples, classes)`; returns them as float64."""
    return checks.check_probabilities(probabilities, ("examples", "classes"))


def check_numbers(values, name, shape=None):
    """Checks labels that are numbers, or predictions of them.

    Args:
        values: array-like, `(examples, ...)`.
        name: str, what the caller calls it.
        shape: the shape that it must have; None for any.

    Returns:
        float64 array of the same shape.

    Raises:
        ValueError: if it is not finite, or has another shape.
    """
    array = checks.check_floats(values, name)
    if array.ndim == 0 or (shape is not None and array.shape != shape):
        expected = "(examples, ...)" if shape is None else shape
        raise ValueError(
            f"{name}: expected shape {expected}, got {array.shape}."
        )
    return array

"""Conformal sets of all classes that are probable enough."""

import numpy as np

from bbh_tf.postprocessing import conformal
from bbh_tf.uncertainty import checks


class ThresholdSets(conformal.SplitConformal):
    """Prediction sets of the classes above one threshold.

    A class is in the set of an example where its probability is at least
    `1 - threshold`. Of all sets with this coverage these have the fewest
    classes on average, if the probabilities are right; they are too small for
    hard examples and too large for easy ones, and may be empty.

    Args:
        level: probability that a set contains the true class.

    Raises:
        ValueError: if the level is not between 0 and 1.

    Example:
    ```python
    sets = bbh_tf.postprocessing.ThresholdSets(level=0.6)
    sets.calibrate([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]], [0, 1, 1])
    sets.predict([[0.8, 0.2], [0.5, 0.5]]).sum(axis=1)  # [1, 0]
    ```

    References:
        Sadinle, Lei, Wasserman, "Least Ambiguous Set-Valued Classifiers with
        Bounded Error Levels", JASA 2019, arXiv:1609.00451.
    """

    def calibrate(self, probabilities, labels):
        """Finds the threshold.

        Args:
            probabilities: array-like, `(examples, classes)`.
            labels: array-like of integers, `(examples,)`, none of which the
                model was trained on.

        Returns:
            Itself.

        Raises:
            ValueError: if the probabilities are no distributions, the labels
                no classes, or there are too few for the level.
        """
        probabilities = conformal.check_sets(probabilities)
        count, num_classes = probabilities.shape
        labels = checks.check_labels(labels, (count,), num_classes)
        return self._calibrate(
            1 - probabilities[np.arange(count), labels], num_classes
        )

    def predict(self, probabilities):
        """Returns the sets.

        Args:
            probabilities: array-like, `(examples, classes)`.

        Returns:
            bool array `(examples, classes)`, whether a class is in the set.

        Raises:
            ValueError: if it is not calibrated, or was with another number of
                classes, or the probabilities are no distributions.
        """
        probabilities = conformal.check_sets(probabilities)
        self._check_alike(probabilities.shape[1], "a number of classes")
        # As the scores are computed, so that round-off is the same.
        return 1 - probabilities <= self.threshold

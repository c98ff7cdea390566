"""Conformal sets that grow where the model is unsure."""

import hashlib

import numpy as np

from bbh_tf import checks as counts
from bbh_tf.postprocessing import conformal
from bbh_tf.uncertainty import checks

# Second words of the seeds: calibration and prediction must not share draws.
_CALIBRATION, _PREDICTION = 0, 1


class AdaptiveSets(conformal.SplitConformal):
    """Prediction sets of the most probable classes, as many as it takes.

    The score of a class is the probability of all classes that are more
    probable, and a random share of its own, the same for all classes of an
    example; a class is in the set where that is at most the threshold. With
    `penalty`, each class beyond the first `num_free` costs so much more
    (regularised, RAPS), which keeps long tails out.

    Args:
        level: probability that a set contains the true class.
        randomized: whether a share of the class's own probability counts,
            uniform between 0 and 1, or none of it. At random, the coverage is
            exact (but among equal rows that come one by one), and sets may be
            empty; else they are larger, and never.
        penalty: what each class beyond `num_free` adds to the score.
        num_free: number of classes without penalty.
        seed: an integer, seed of the shares. A set is a function of it, of the
            probabilities, and of the example's place among them.

    Raises:
        ValueError: if an argument is invalid.

    Example:
    ```python
    sets = bbh_tf.postprocessing.AdaptiveSets(level=0.6, randomized=False)
    sets.calibrate([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], [0, 0, 1])
    sets.predict([[0.8, 0.2], [0.5, 0.5]]).sum(axis=1)  # [1, 2]
    ```

    References:
        Romano, Sesia, Candes, "Classification with Valid and Adaptive
        Coverage", NeurIPS 2020, arXiv:2006.02544.
        Angelopoulos et al., "Uncertainty Sets for Image Classifiers using
        Conformal Prediction", ICLR 2021, arXiv:2009.14193 (the penalty).
    """

    def __init__(
        self, level=0.9, randomized=True, penalty=0.0, num_free=1, seed=0
    ):
        super().__init__(level)
        counts.check_factor("penalty", penalty)
        counts.check_count("num_free", num_free)
        self.randomized = counts.flag("randomized", randomized)
        counts.check_count("seed", seed, fewest=0)
        self.penalty = float(penalty)
        self.num_free = int(num_free)
        self.seed = int(seed)

    def calibrate(self, probabilities, labels):
        """Finds the threshold; see `ThresholdSets.calibrate`."""
        probabilities = conformal.check_sets(probabilities)
        count, num_classes = probabilities.shape
        labels = checks.check_labels(labels, (count,), num_classes)
        scores = self._scores(probabilities, _CALIBRATION)
        return self._calibrate(scores[np.arange(count), labels], num_classes)

    def predict(self, probabilities):
        """Returns the sets; see `ThresholdSets.predict`."""
        probabilities = conformal.check_sets(probabilities)
        self._check_alike(probabilities.shape[1], "a number of classes")
        return self._scores(probabilities, _PREDICTION) <= self.threshold

    def _scores(self, probabilities, purpose):
        """Returns scores of all classes, `(examples, classes)`."""
        order = np.argsort(-probabilities, axis=-1, kind="stable")
        ranked = np.take_along_axis(probabilities, order, axis=-1)
        # Without a share, the score is where the class just enters the set.
        shares = np.zeros((len(ranked), 1))
        if self.randomized:
            shares = self._shares(probabilities, purpose)
        before = np.zeros_like(ranked)
        np.cumsum(ranked[:, :-1], axis=-1, out=before[:, 1:])
        places = np.arange(1, ranked.shape[1] + 1)
        penalties = self.penalty * np.maximum(places - self.num_free, 0)
        scores = np.empty_like(ranked)
        np.put_along_axis(
            scores, order, before + shares * ranked + penalties, axis=-1
        )
        return scores

    def _shares(self, probabilities, purpose):
        """Returns uniform numbers between 0 and 1, `(examples, 1)`."""
        generator = np.random.default_rng([self.seed, purpose])
        shares = generator.random(len(probabilities))
        # Examples that come one by one are all in the same place, whose share
        # alone would be that of each, and their coverage far from the level.
        shares += [_hash(row) for row in np.ascontiguousarray(probabilities)]
        return (shares % 1.0)[:, None]


def _hash(row):
    """Returns a number between 0 and 1 for the digits of an array."""
    digest = hashlib.blake2b(row.tobytes(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2.0**64

"""The examples of the highest scores."""

import numpy as np

from bbh_tf.acquisition import checks
from bbh_tf.uncertainty.checks import check_vector


def select(scores, count):
    """Returns the examples with the highest scores, the highest first.

    Of equal scores the first examples are taken.

    Args:
        scores: array-like, `(examples,)`.
        count: how many, a positive integer.

    Returns:
        int64 array `(count,)`: places in `scores`.

    Raises:
        ValueError: if the scores are not finite numbers `(examples,)`, or
            `count` is not from 1 to their number.
    """
    scores = check_vector(scores, "scores")
    checks.check_number(count, len(scores))
    return np.argsort(-scores, kind="stable")[:count].astype(np.int64)

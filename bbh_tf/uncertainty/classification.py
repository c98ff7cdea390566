"""Scores of class predictions against true labels.

Means over labels: an example that has several, such as the pixels of an image,
counts once for each. (`evaluate` of a model adds up the log-likelihoods of an
example's labels.)
"""

import numpy as np

from bbh_tf.uncertainty.checks import check_classified

# The smallest normal float32, 1.2e-38, so a log of at most 87.34 nats.
_SMALLEST = float(np.finfo(np.float32).tiny)


def error_rate(probabilities, labels):
    """Share of labels that are not the most probable class.

    A tie goes to the class with the lowest number, as `numpy.argmax` does.

    Args:
        probabilities: array-like, `(examples, ..., classes)`.
        labels: array-like of integers, `(examples, ...)`.

    Returns:
        float in `[0, 1]` (not in per cent).

    Raises:
        ValueError: if the probabilities are not distributions, the labels
            are not integers within range, or the lengths differ.
    """
    probabilities, labels = check_classified(probabilities, labels)
    return float(np.mean(np.argmax(probabilities, axis=-1) != labels))


def negative_log_likelihood(probabilities, labels):
    """Mean of `-log p(true class)`, in nats per label.

    A probability below the smallest normal float32 (1.2e-38), 0 included,
    counts as that number: one certain and wrong prediction costs 87.34 nats
    instead of making the mean infinite. A softmax in float32 underflows at
    about the same place, so its zeros hold no more information than that.

    Args:
        probabilities: array-like, `(examples, ..., classes)`.
        labels: array-like of integers, `(examples, ...)`.

    Returns:
        float, nats per label: per example, where each has one.

    Raises:
        ValueError: if the probabilities are not distributions, the labels
            are not integers within range, or the lengths differ.

    Example:
    ```python
    negative_log_likelihood([[0.5, 0.5]], [0])  # 0.6931
    ```
    """
    probabilities, labels = check_classified(probabilities, labels)
    picked = probabilities[np.arange(len(labels)), labels]
    return float(np.mean(-np.log(np.maximum(picked, _SMALLEST))))


def brier_score(probabilities, labels):
    """Mean squared distance of the predictions to the one-hot labels.

    The variant is Brier's own, `mean_n sum_k (p_nk - y_nk)^2`: the sum, not
    the mean, over the classes. It runs from 0 to 2; for two classes it is
    twice the score that looks at the positive class alone.

    Args:
        probabilities: array-like, `(examples, ..., classes)`.
        labels: array-like of integers, `(examples, ...)`.

    Returns:
        float in `[0, 2]`; lower is better.

    Raises:
        ValueError: if the probabilities are not distributions, the labels
            are not integers within range, or the lengths differ.

    References:
        Brier, "Verification of forecasts expressed in terms of
        probability", Monthly Weather Review 78, 1950.
    """
    probabilities, labels = check_classified(probabilities, labels)
    one_hot = np.eye(probabilities.shape[-1])[labels]
    return float(np.mean(np.sum((probabilities - one_hot) ** 2, axis=-1)))

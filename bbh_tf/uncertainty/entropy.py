"""Entropy of predictions and its split into two kinds of uncertainty.

    predictive entropy = expected entropy + mutual information
    H(mean_s p_s)      = mean_s H(p_s)    + I(label; weights)

The expected entropy is what the data leave open (aleatoric), the mutual
information is what the draws of the weights disagree on (epistemic).

References:
    Pawlowski, Brock, Lee, Rajchl, Glocker, "Implicit Weight Uncertainty in
    Neural Networks", arXiv:1711.01297 (predictive entropy as the measure
    of uncertainty).
    Houlsby, Huszar, Ghahramani, Lengyel, "Bayesian Active Learning for
    Classification and Preference Learning", arXiv:1112.5745 (the split).
"""

import numpy as np

from bbh_tf.uncertainty.checks import check_classes
from bbh_tf.uncertainty.checks import check_floats
from bbh_tf.uncertainty.checks import check_probabilities
from bbh_tf.uncertainty.checks import check_samples


def _entropy(probabilities):
    # Rows are rescaled to sum to 1 in float64: a float32 softmax is off by
    # 1e-7, enough to push the entropy of a uniform row above log(classes).
    rows = probabilities / np.sum(probabilities, axis=-1, keepdims=True)
    # log(1) where p = 0 makes 0 log 0 an exact 0 without a warning.
    logs = np.log(np.where(rows > 0, rows, 1.0))
    # abs turns the -0.0 of a certain row into 0.0; no term is negative.
    return np.abs(np.sum(rows * logs, axis=-1))


def class_probabilities(logits):
    """Softmax over the last axis, in float64.

    Args:
        logits: array-like, `(..., classes)`.

    Returns:
        float64 array of the same shape; the argument is left as it is.

    Raises:
        ValueError: if the input is empty, not finite, no numbers or of one
            class.
    """
    logits = check_floats(logits, "logits")
    check_classes(logits, "logits")
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def predictive_entropy(probabilities):
    """Shannon entropy of each predictive distribution, in nats.

    With draws of the weights, average the probabilities over the draws
    first: `predictive_entropy(sample_probabilities.mean(axis=0))`.

    Args:
        probabilities: array-like, `(..., classes)`, rows that sum to 1 (to
            1e-3; they are rescaled to sum to 1 exactly).

    Returns:
        float64 array `(...)` in `[0, log(classes)]`, in nats; a float where
        `probabilities` is a single row. `0 log 0` counts as exactly 0.

    Raises:
        ValueError: if the input is empty, not finite, or not made of
            probability distributions.

    Example:
    ```python
    predictive_entropy([[0.5, 0.5], [1.0, 0.0]])  # [0.6931, 0.0]
    ```
    """
    entropy = _entropy(check_probabilities(probabilities))
    return float(entropy) if entropy.ndim == 0 else entropy


def expected_entropy(sample_probabilities):
    """Mean over the draws of the entropy of each draw, in nats.

    Args:
        sample_probabilities: array-like, `(num_samples, examples, ...,
            classes)`.

    Returns:
        float64 array `(examples, ...)`, in nats.

    Raises:
        ValueError: if the rank is less than 3, the input is empty or not
            finite, or its rows are no probability distributions.
    """
    samples = check_samples(sample_probabilities)
    return np.mean(_entropy(samples), axis=0)


def mutual_information(sample_probabilities):
    """Entropy of the mean prediction less the mean entropy, in nats.

    It is 0 where all draws agree, and at most
    `log(min(num_samples, classes))`.

    Args:
        sample_probabilities: array-like, `(num_samples, examples, ...,
            classes)`.

    Returns:
        float64 array `(examples, ...)`, in nats; round-off below 0 is set to 0.

    Raises:
        ValueError: if the rank is less than 3, the input is empty or not
            finite, or its rows are no probability distributions.

    Example:
    ```python
    mutual_information([[[1.0, 0.0]], [[0.0, 1.0]]])  # [0.6931]
    ```
    """
    samples = check_samples(sample_probabilities)
    # Each draw is rescaled before the mean, so that both terms of the
    # difference see the same distributions and concavity keeps it >= 0.
    samples = samples / np.sum(samples, axis=-1, keepdims=True)
    total = _entropy(np.mean(samples, axis=0))
    return np.maximum(total - np.mean(_entropy(samples), axis=0), 0.0)

"""Scoring labels under the mean over draws of their density."""

import math

import numpy as np
import tensorflow as tf

from bbh_tf.models import likelihoods


def score(draws, num_samples, labels, weights, masks, distribution_of):
    """Averages what draws say of the labels of some batches.

    Args:
        draws: yields, for each draw, a list of outputs, one for each batch.
        num_samples: number of draws.
        labels: list of the batches' labels.
        weights: list of factors of single labels in these batches, or None;
            see `likelihoods.log_prob`.
        masks: list of Keras' masks of the outputs, or None; see there.
        distribution_of: function from outputs to a distribution of labels.

    Returns:
        `(log_probs, means)`: for each batch, the log of the mean over draws
        of p(y | x, w), `float32` tensors `(batch,)` in nats, and the mean
        over draws of the distribution's mean (class probabilities).

    Raises:
        ValueError: if there are no labels, or their shape does not fit.
    """
    if any(batch is None for batch in labels):
        raise ValueError("evaluate needs labels: expected (x, y); got x.")
    log_probs = [-math.inf] * len(labels)
    means = [0.0] * len(labels)
    for outputs in draws:
        for index, output in enumerate(outputs):
            distribution = distribution_of(output)
            new = likelihoods.log_prob(
                distribution, labels[index], weights[index], masks[index]
            )
            new = np.asarray(new, np.float64)
            log_probs[index] = np.logaddexp(log_probs[index], new)
            means[index] += likelihoods.mean(distribution) / num_samples
    log_probs = [
        tf.cast(log_prob - math.log(num_samples), tf.float32)
        for log_prob in log_probs
    ]
    return log_probs, means

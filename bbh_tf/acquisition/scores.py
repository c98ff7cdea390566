"""Scores of single examples."""

import numpy as np

from bbh_tf import uncertainty
from bbh_tf.acquisition import checks


def bald(sample_probabilities):
    """Information that a label would give about the weights, in nats.

    The mutual information of label and weights
    (`uncertainty.mutual_information`): high where draws disagree, 0 where all
    agree, however unsure they are.

    Args:
        sample_probabilities: array-like, `(num_samples, examples,
            classes)`.

    Returns:
        float64 array `(examples,)`, nats, from 0 to log of the number of
        draws or classes, whichever is fewer.

    Raises:
        ValueError: if the draws are not distributions, or fewer than two.

    References:
        Houlsby et al., Bayesian Active Learning for Classification and
        Preference Learning, arXiv:1112.5745.
    """
    return uncertainty.mutual_information(
        checks.check_draws(sample_probabilities, 2)
    )


def max_entropy(sample_probabilities):
    """The entropy of the mean over draws, in nats.

    Args:
        sample_probabilities: array-like, `(num_samples, examples,
            classes)`.

    Returns:
        float64 array `(examples,)`, nats, from 0 to log(classes).

    Raises:
        ValueError: if the draws are not distributions.
    """
    return uncertainty.predictive_entropy(
        np.mean(checks.check_draws(sample_probabilities), axis=0)
    )


def least_confidence(sample_probabilities):
    """One minus the largest class probability of the mean over draws.

    The code of Bayesian hypernetworks, and Gal et al., call it the variation
    ratio, which here is that of the draws' votes, `variation_ratio`.

    Args:
        sample_probabilities: array-like, `(num_samples, examples,
            classes)`.

    Returns:
        float64 array `(examples,)`, in [0, 1).

    Raises:
        ValueError: if the draws are not distributions.

    References:
        Gal et al., Deep Bayesian Active Learning with Image Data,
        arXiv:1703.02910, Sec. 4.
    """
    samples = checks.check_draws(sample_probabilities)
    return 1.0 - np.max(np.mean(samples, axis=0), axis=-1)


def variation_ratio(sample_probabilities):
    """The share of draws whose most probable class is not the most common.

    `uncertainty.variation_ratio`, of two draws at least.

    Args:
        sample_probabilities: array-like, `(num_samples, examples,
            classes)`.

    Returns:
        float64 array `(examples,)`, in [0, 1).

    Raises:
        ValueError: if the draws are not distributions, or fewer than two.

    References:
        Gal, Uncertainty in Deep Learning, PhD thesis, University of
        Cambridge, 2016, Sec. 3.3.1.
    """
    return uncertainty.variation_ratio(
        checks.check_draws(sample_probabilities, 2)
    )


def mean_std(sample_probabilities):
    """The standard deviation of a class probability, mean over the classes.

    Args:
        sample_probabilities: array-like, `(num_samples, examples,
            classes)`.

    Returns:
        float64 array `(examples,)`, in [0, 0.5].

    Raises:
        ValueError: if the draws are not distributions, or fewer than two.
    """
    return np.mean(
        np.std(checks.check_draws(sample_probabilities, 2), axis=0), axis=-1
    )


def random(sample_probabilities, seed):
    """Scores drawn at random, uniform in [0, 1): the baseline.

    Args:
        sample_probabilities: array-like, `(num_samples, examples,
            classes)`.
        seed: an integer >= 0, or a `numpy.random.Generator`.

    Returns:
        float64 array `(examples,)`.

    Raises:
        ValueError: if the draws are not distributions, or the seed is neither.
    """
    num_examples = checks.check_draws(sample_probabilities).shape[1]
    return checks.generator(seed).random(num_examples)

"""Scores of single examples."""

import numpy as np

from bbh_tf import uncertainty
from bbh_tf.acquisition import checks


def bald(draws):
    """Information that a label would give about the weights, in nats.

    The mutual information of label and weights
    (`uncertainty.mutual_information`): high where draws disagree, 0 where all
    agree, however unsure they are.

    Args:
        draws: array-like, `(draws, examples, classes)`, probabilities.

    Returns:
        float64 array `(examples,)`, nats, from 0 to log of the number of
        draws or classes, whichever is fewer.

    Raises:
        ValueError: if the draws are not distributions, or fewer than two.

    References:
        Houlsby et al., Bayesian Active Learning for Classification and
        Preference Learning, arXiv:1112.5745.
    """
    return uncertainty.mutual_information(checks.check_draws(draws, 2))


def max_entropy(draws):
    """The entropy of the mean over draws, in nats.

    Args:
        draws: array-like, `(draws, examples, classes)`, probabilities.

    Returns:
        float64 array `(examples,)`, nats, from 0 to log(classes).

    Raises:
        ValueError: if the draws are not distributions.
    """
    return uncertainty.predictive_entropy(
        np.mean(checks.check_draws(draws), axis=0)
    )


def variation_ratio(draws):
    """One minus the largest class probability of the mean over draws.

    This is what the code of Bayesian hypernetworks calls the variation ratio;
    see `mode_variation_ratio` for the other reading.

    Args:
        draws: array-like, `(draws, examples, classes)`, probabilities.

    Returns:
        float64 array `(examples,)`, in [0, 1).

    Raises:
        ValueError: if the draws are not distributions.
    """
    return 1.0 - np.max(np.mean(checks.check_draws(draws), axis=0), axis=-1)


def mode_variation_ratio(draws):
    """The share of draws whose most probable class is not the most common.

    `uncertainty.variation_ratio`, of two draws at least.

    Args:
        draws: array-like, `(draws, examples, classes)`, probabilities.

    Returns:
        float64 array `(examples,)`, in [0, 1).

    Raises:
        ValueError: if the draws are not distributions, or fewer than two.

    References:
        Gal et al., Deep Bayesian Active Learning with Image Data,
        arXiv:1703.02910, Sec. 4.
    """
    return uncertainty.variation_ratio(checks.check_draws(draws, 2))


def mean_std(draws):
    """The standard deviation of a class probability, mean over the classes.

    Args:
        draws: array-like, `(draws, examples, classes)`, probabilities.

    Returns:
        float64 array `(examples,)`, in [0, 0.5].

    Raises:
        ValueError: if the draws are not distributions, or fewer than two.
    """
    return np.mean(np.std(checks.check_draws(draws, 2), axis=0), axis=-1)


def random(draws, seed):
    """Scores drawn at random, uniform in [0, 1): the baseline.

    Args:
        draws: array-like, `(draws, examples, classes)`, probabilities.
        seed: an integer, or a `numpy.random.Generator`.

    Returns:
        float64 array `(examples,)`.

    Raises:
        ValueError: if the draws are not distributions.
    """
    num_examples = checks.check_draws(draws).shape[1]
    return np.random.default_rng(seed).random(num_examples)

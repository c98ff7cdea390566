"""Refusals shared by the scores."""

import numpy as np

from bbh_tf import checks as counts
from bbh_tf.uncertainty import checks


def check_draws(sample_probabilities, fewest=1):
    """Checks draws of class probabilities.

    Args:
        sample_probabilities: array-like, `(num_samples, examples,
            classes)`.
        fewest: how many draws are needed.

    Returns:
        float64 array of the same shape, its rows rescaled to sum to 1: those
        of a softmax in float16 are off by more than draws may differ.

    Raises:
        ValueError: if they are not distributions, or too few.
    """
    samples = checks.check_probabilities(
        sample_probabilities,
        ("num_samples", "examples", "classes"),
        "sample_probabilities",
    )
    if len(samples) < fewest:
        raise ValueError(
            f"sample_probabilities: expected at least {fewest} draws, since "
            f"one tells nothing of how draws differ; got {len(samples)}."
        )
    return samples / samples.sum(axis=-1, keepdims=True)


def check_number(count, num_examples):
    """Checks how many examples are to be chosen.

    Raises:
        ValueError: if it is no positive integer, or more than there are.
    """
    counts.check_count("count", count)
    if count > num_examples:
        raise ValueError(
            f"Expected count to be at most the number of examples, "
            f"{num_examples}; got {count}."
        )


def generator(seed):
    """Makes a generator of random numbers.

    Args:
        seed: an integer >= 0, or a `numpy.random.Generator`, which is
            returned as it is.

    Raises:
        ValueError: if it is neither.
    """
    if not isinstance(seed, np.random.Generator):
        counts.check_count("seed", seed, fewest=0)
    return np.random.default_rng(seed)

"""How uncertain a prediction is, from the distributions that draws give.

Classes are measured by entropies, labels that are numbers by variances:

    variance of the mixture = mean of the draws' variances   (aleatoric)
                            + variance of the draws' means   (epistemic)

TensorFlow operations only, so that an exported program says the same.

References:
    Depeweg et al., Decomposition of Uncertainty in Bayesian Deep Learning,
    arXiv:1710.07283, (the split of the variance).
"""

import numpy as np
import tensorflow as tf

from bbh_tf import checks
from bbh_tf.models import likelihoods

# Halvings of the bracket: below float32's resolution of its width.
_BISECTIONS = 30


def terms(distribution, dtype=tf.float64):
    """Returns what the summary takes from one draw.

    Args:
        distribution: what a likelihood returned, for `batch` examples.
        dtype: float type to compute in.

    Returns:
        Dictionary of tensors of that type that can be averaged over draws.

    Raises:
        ValueError: if the distribution has no mean; or no variance, and is
            not over classes.
    """
    mean = tf.cast(likelihoods.mean(distribution), dtype)
    if likelihoods.is_categorical(distribution):
        return {"mean": mean, "entropy": entropy(mean)}
    try:
        variance = distribution.variance()
    except NotImplementedError as error:
        raise ValueError(
            "Uncertainty needs a likelihood whose distribution has a variance; "
            f"{type(distribution).__name__} has none: give it one in a "
            "subclass, or look at predict_samples."
        ) from error
    return {"mean": mean, "variance": tf.cast(variance, dtype)}


def update(totals, index, new):
    """Takes one more draw into running means.

    Args:
        totals: what `update` returned for the draws before; None for the
            first.
        index: number of the draw, from 0.
        new: the draw's `terms`.

    Returns:
        Dictionary of tensors: means of the terms, and `"square"`, the mean
        squared deviation of the means from their mean.
    """
    if totals is None:
        totals = {name: tf.zeros_like(value) for name, value in new.items()}
        totals["square"] = totals["mean"]
    count = tf.cast(index, new["mean"].dtype) + 1.0
    means = {
        name: totals[name] + (value - totals[name]) / count
        for name, value in new.items()
    }
    # Welford's: the difference of large squares would leave no digits.
    square = (new["mean"] - totals["mean"]) * (new["mean"] - means["mean"])
    means["square"] = totals["square"] + (square - totals["square"]) / count
    return means


def summary(totals):
    """Summarises the draws.

    Args:
        totals: what `update` returned for the last draw.

    Returns:
        Dictionary of tensors: for classes `"probabilities"`,
        `"entropy"` and `"mutual_information"`, in nats; otherwise `"mean"`,
        `"std"`, `"aleatoric_std"` and `"epistemic_std"`, in the units of the
        labels.
    """
    if "entropy" in totals:
        whole = entropy(totals["mean"])
        return {
            "probabilities": totals["mean"],
            "entropy": whole,
            "mutual_information": tf.maximum(whole - totals["entropy"], 0.0),
        }
    return {
        "mean": totals["mean"],
        "std": tf.sqrt(totals["variance"] + totals["square"]),
        "aleatoric_std": tf.sqrt(totals["variance"]),
        "epistemic_std": tf.sqrt(totals["square"]),
    }


def interval(distribution, num_samples, level):
    """Finds the central interval of an equal mixture of draws.

    Args:
        distribution: what a likelihood returned for the outputs of all draws,
            one after the other along the first axis.
        num_samples: number of draws.
        level: probability that the interval holds, between 0 and 1.

    Returns:
        `{"lower": ..., "upper": ...}`: quantiles `(1 - level) / 2` and
        `(1 + level) / 2` of the mixture, `float32` tensors.

    Raises:
        ValueError: if the distribution has no quantiles.
    """
    return {
        name: _quantile(distribution, num_samples, probability)
        for name, probability in (
            ("lower", 0.5 - level / 2),
            ("upper", 0.5 + level / 2),
        )
    }


def check_level(level, distribution):
    """Refuses what is no level, or has no interval.

    Raises:
        ValueError: if `level` is not between 0 and 1, or the distribution is
            over classes.
    """
    if not checks.is_number(level) or not 0 < level < 1:
        raise ValueError(
            "Expected level to be a probability between 0 and 1; got "
            f"{level!r}."
        )
    if likelihoods.is_categorical(distribution):
        raise ValueError(
            "An interval needs a likelihood of labels that are numbers; got "
            f"level={level!r} for a likelihood over classes."
        )


def _quantile(distribution, num_samples, probability):
    try:
        each = distribution.quantile(probability)
    except NotImplementedError as error:
        raise ValueError(
            "An interval needs a likelihood with quantiles; "
            f"{type(distribution).__name__} has none."
        ) from error
    by_draw = (num_samples, each.shape[0] // num_samples, *each.shape[1:])
    each = tf.reshape(each, by_draw)
    # The mixture's quantile lies between the smallest and the largest.
    low, high = tf.reduce_min(each, axis=0), tf.reduce_max(each, axis=0)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        below = distribution.cdf(tf.concat([middle] * num_samples, axis=0))
        below = tf.reduce_mean(tf.reshape(below, by_draw), axis=0)
        low = tf.where(below < probability, middle, low)
        high = tf.where(below < probability, high, middle)
    return 0.5 * (low + high)


def entropy(probabilities):
    """Returns entropies `(...)`, nats, of probabilities `(..., classes)`."""
    # A float32 softmax sums to 1 but for 1e-7.
    total = tf.reduce_sum(probabilities, axis=-1, keepdims=True)
    probabilities = probabilities / total
    # 0 log 0 is 0. (Other ways to say so are no operations of TFLite.)
    logs = tf.math.log(tf.maximum(probabilities, _smallest(probabilities)))
    return tf.abs(tf.reduce_sum(logs * probabilities, axis=-1))


def _smallest(tensor):
    """Returns the smallest normal number of a tensor's type."""
    return np.finfo(tensor.dtype.as_numpy_dtype).tiny

"""The least KL that the means and variances of weights allow."""

import numpy as np
import tensorflow as tf


def least_kl(mean, variance, num_samples, loc=0.0, scale=1.0):
    """Computes the least KL to a normal prior that these moments allow.

    Of all distributions of one weight with its mean and variance, the normal
    one has the least KL to a normal prior; the KL of all weights together is
    the sum of the marginals' and the total correlation, which is never
    negative. So the sum over normals is a lower bound, and the KL itself where
    the weights are independent and normal. An estimate far below it misses
    what the posterior costs.

    Args:
        mean: array, means of weights over draws of the posterior.
        variance: array of the same shape, their variances over the draws,
            unbiased (divided by `num_samples - 1`).
        num_samples: how many draws there were, at least 2.
        loc: mean of the prior, a number or an array that broadcasts.
        scale: its standard deviation, likewise.

    Returns:
        float, nats, the sum over all weights that vary; without bias where
        the weights are normal. A weight that does not vary has no bound, and
        is left out. NaN where a mean or a variance is.

    Raises:
        ValueError: if `num_samples` is below 2, shapes do not fit, or a
            `scale` is not above 0.
    """
    if num_samples < 2:
        raise ValueError(
            f"least_kl expects num_samples to be at least 2; got {num_samples}."
        )
    given = [np.asarray(x, np.float64) for x in (mean, variance, loc, scale)]
    mean, variance, loc, scale = np.broadcast_arrays(*given)
    if not given[0].shape == given[1].shape == mean.shape:
        raise ValueError(
            "least_kl expects mean and variance of one shape, to which loc and "
            f"scale broadcast; got shapes {[x.shape for x in given]}."
        )
    if np.any(scale <= 0):
        raise ValueError(
            f"least_kl expects scale to be above 0; got {scale.min():.6g}."
        )
    # What is no number is kept, and shows.
    varies = ~(variance <= 0)
    ratio = variance[varies] / scale[varies] ** 2
    shift = (mean[varies] - loc[varies]) / scale[varies]
    # The logarithm of a variance that was measured is too small on average.
    half = tf.constant((num_samples - 1) / 2, tf.float64)
    bias = float(tf.math.digamma(half) - tf.math.log(half))
    # The variance of the mean is in the squares of the means already.
    second = shift**2 + ratio * (1 - 1 / num_samples)
    return float(np.sum(second - 1 - np.log(ratio) + bias)) / 2

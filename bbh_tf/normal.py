"""The log-density and the entropy of independent normal values, in nats."""

import math

import tensorflow as tf

LOG_2_PI = math.log(2 * math.pi)


def log_prob(squares, log_variance=0.0):
    """Computes the log-density, summed over all axes but the first.

    Args:
        squares: tensor `(n, ...)`, squared distances from the means, in
            variances: the squares of standard noise.
        log_variance: a tensor that broadcasts to it, or a number.

    Returns:
        Tensor `(n,)`, nats.
    """
    each = squares + log_variance + LOG_2_PI
    return -0.5 * tf.reduce_sum(each, axis=list(range(1, squares.shape.rank)))


def entropy(log_variance):
    """Computes the entropy of all values together, a scalar in nats.

    Args:
        log_variance: tensor, of an element for each value.
    """
    return 0.5 * tf.reduce_sum(log_variance + LOG_2_PI + 1.0)

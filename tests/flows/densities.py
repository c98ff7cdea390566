"""What a flow's density is checked by, for the tests of this folder."""

import numpy as np
import tensorflow as tf


def shake(flow, scale, seed=0):
    """Gives every trainable parameter a value that counts."""
    generator = np.random.default_rng(seed)
    for variable in flow.trainable_variables:
        noise = generator.normal(0, scale, variable.shape)
        variable.assign(np.array(variable) + noise)


def numerical_log_det(function, z, step=1e-2):
    """Returns log |det| of a map's Jacobian by central differences."""
    columns = [
        (function(z + move) - function(z - move)) / (2 * step)
        for move in step * np.eye(z.shape[1], dtype="float32")
    ]
    return np.linalg.slogdet(np.stack(columns, axis=2))[1]


def dense_rectangle(x, log_prob):
    """Returns corner and size of a rectangle where many draws are.

    Where few are, 1 / q has tails that a standard error tells nothing of.
    """
    x = np.array(x)
    center = x[np.argsort(log_prob)[int(0.9 * len(x))]]
    size = 0.4 * np.ptp(np.quantile(x, (0.3, 0.7), axis=0), axis=0)
    return center - size / 2, size


def area_by_draws(x, log_prob, corner, size):
    """Estimates a rectangle's area from draws and their densities.

    Args:
        x: draws of q, `(num_draws, 2)`.
        log_prob: log q of each, `(num_draws,)`.
        corner: the lower left corner of the rectangle.
        size: its width and height.

    Returns:
        `(estimate, standard error)`: of the mean of 1[x in R] / q(x).
    """
    x, log_prob = np.array(x), np.array(log_prob, np.float64)
    inside = np.all((x > corner) & (x < np.add(corner, size)), axis=1)
    values = np.where(inside, np.exp(-np.where(inside, log_prob, 0)), 0)
    return values.mean(), values.std() / np.sqrt(len(values))


def normal_noise(count, dim, seed=0):
    """Returns standard normal noise, `(count, dim)`."""
    return tf.random.stateless_normal((count, dim), (seed, 1))

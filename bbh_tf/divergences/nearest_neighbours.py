"""Distances to k-th neighbours among samples, and their gradients.

In one dimension a distance is found again by its value: the gradient goes to
the pairs whose distance equals the k-th. So nothing but the distances is kept,
and all is arithmetic on whole `(n, weights)` tensors, of which XLA makes one
pass each. (Where two pairs tie, both get the gradient.)
"""

import math

import tensorflow as tf

# Two equal samples would give log(0). Squared, near float32's smallest normal
# number: its reciprocal is finite, and so is the logarithm of a product of two.
_SMALLEST_DISTANCE = 10**-18.5
# Samples for which operations are written out; beyond, there is a loop, which
# XLA compiles sooner, and which writes every step to memory.
_MOST_WRITTEN_OUT = 20


def distances(points, others, num_neighbours):
    """Distance of each weight to its k-th nearest among others.

    Args:
        points: tensor `(n, weights)`.
        others: tensor `(m, weights)`; the points themselves, the same object,
            for the k-th nearest of the others among them.
        num_neighbours: k.

    Returns:
        Tensor `(n, weights)`.
    """
    count, rank = others.shape[0], num_neighbours
    if others is points:
        # Each is its own nearest, at 0.
        rank += 1
    # The least of the largest, or the largest of the least, which are fewer.
    from_above = count - rank + 1 < rank and count <= _MOST_WRITTEN_OUT
    kept, start = (count - rank + 1, 0.0) if from_above else (rank, math.inf)

    def visit(j, *ordered):
        ordered, new = list(ordered), tf.abs(points - others[j])
        for place, old in enumerate(ordered):
            low, high = tf.minimum(old, new), tf.maximum(old, new)
            ordered[place], new = (high, low) if from_above else (low, high)
        return ordered

    return _visit_all(count, visit, [tf.fill(points.shape, start)] * kept)[-1]


def pull(points, others, of_points=None, of_others=None):
    """Gradient of the sum of weighted logarithms of distances.

    Args:
        points: tensor `(n, weights)`, for which the gradient is.
        others: tensor `(m, weights)`.
        of_points: `(distances, factors)` of the points to their k-th nearest
            among the others, `(n, weights)`, and what their logarithms are
            multiplied by; None where these do not count.
        of_others: the same of the others, `(m, weights)`.

    Returns:
        Tensor `(n, weights)`.
    """

    def visit(j, total):
        difference = points - others[j]
        distance = tf.abs(difference)
        # Below the smallest distance, the logarithm stands still.
        difference = tf.where(
            distance < _SMALLEST_DISTANCE, math.inf, difference
        )
        hits = 0.0
        if of_points is not None:
            kth, factor = of_points
            hits += tf.where(distance == kth, factor, 0.0)
        if of_others is not None:
            kth, factor = of_others
            if tf.is_tensor(factor):
                factor = factor[j]
            hits += tf.where(distance == kth[j], factor, 0.0)
        return [total + hits / difference]

    return _visit_all(others.shape[0], visit, [tf.zeros(points.shape)])[0]


def _visit_all(count, visit, values):
    if count <= _MOST_WRITTEN_OUT:
        for j in range(count):
            values = visit(j, *values)
        return values
    _, *values = tf.while_loop(
        lambda j, *_: j < count,
        lambda j, *values: (j + 1, *visit(j, *values)),
        (0, *values),
    )
    return values


def norms(points, candidates, num_neighbours):
    """Distance of each point, as a whole, to its k-th nearest candidate.

    Args:
        points: tensor `(n, weights)`.
        candidates: tensor `(m, weights)`; the points themselves, the same
            object, for the k-th nearest of the others among them.
        num_neighbours: k.

    Returns:
        Tensor `(n,)`, which TensorFlow can differentiate.
    """
    still = tf.stop_gradient(points)
    squared = tf.map_fn(
        lambda candidate: tf.reduce_sum(tf.square(still - candidate), axis=1),
        tf.stop_gradient(candidates),
    )
    if candidates is points:
        squared = tf.linalg.set_diag(
            squared, tf.fill([points.shape[0]], math.inf)
        )
    chosen = tf.argsort(squared, axis=0)[num_neighbours - 1]
    differences = points - tf.gather(candidates, chosen)
    smallest = _SMALLEST_DISTANCE**2
    return tf.sqrt(
        tf.maximum(tf.reduce_sum(tf.square(differences), 1), smallest)
    )


def sum_of_logs(distances):
    """Sums the logarithms of distances `(n, ...)`, finite where they are 0."""
    distances = tf.maximum(distances, _SMALLEST_DISTANCE)
    half, rest = divmod(distances.shape[0], 2)
    # Logarithms are what takes longest: one for two.
    total = tf.reduce_sum(
        tf.math.log(distances[:half] * distances[half : 2 * half])
    )
    if rest:
        total += tf.reduce_sum(tf.math.log(distances[-1]))
    return total


def shown(value, *sides):
    """Returns a value, or no number where samples hold one.

    XLA's minimum and maximum may pass over what is no number.

    Args:
        value: scalar tensor.
        *sides: tensors of samples.
    """
    is_nan = [tf.reduce_any(tf.math.is_nan(side)) for side in sides]
    return tf.where(tf.reduce_any(is_nan), math.nan, value)

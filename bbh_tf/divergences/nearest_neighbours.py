"""Distances to nearest neighbours among samples, and their gradients."""

import math

import tensorflow as tf

# Two equal samples would give log(0). Squared, near float32's smallest normal
# number: its reciprocal, which the gradient has, must be finite too.
_SMALLEST_SQUARED_DISTANCE = 1e-37


def by_weight(points, candidates, is_same):
    """Squared distance of each weight to the nearest candidate's.

    Args:
        points: `(n, weights)`.
        candidates: `(m, weights)`.
        is_same: whether they are the same points, none of which is its own
            neighbour.

    Returns:
        `(n, weights)`.
    """
    num_points, num_candidates = points.shape[0], candidates.shape[0]
    rows = tf.range(num_points)[:, tf.newaxis]

    # The gradient goes to the nearest pair alone. Left to itself TensorFlow
    # would keep every difference for it; here it is one at a time.
    @tf.custom_gradient
    def difference(points, candidates):
        def visit(j, best, nearest):
            new = points - candidates[j]
            is_nearer = tf.abs(new) < tf.abs(best)
            is_nearer |= tf.math.is_nan(new)
            if is_same:
                is_nearer &= rows != j
            best = tf.where(is_nearer, new, best)
            return j + 1, best, tf.where(is_nearer, j, nearest)

        _, best, nearest = tf.while_loop(
            lambda j, *_: j < num_candidates,
            visit,
            (
                0,
                tf.fill(points.shape, math.inf),
                tf.zeros(points.shape, tf.int32),
            ),
        )

        def gradient(upstream):
            to_candidates = tf.map_fn(
                lambda j: (
                    -tf.reduce_sum(
                        tf.where(nearest == j, upstream, 0.0), axis=0
                    )
                ),
                tf.range(num_candidates),
                fn_output_signature=tf.float32,
            )
            return upstream, to_candidates

        return best, gradient

    return tf.square(difference(points, candidates))


def of_all(points, candidates, is_same):
    """Squared distance of each point to the nearest candidate.

    Args: those of `by_weight`.

    Returns:
        `(n,)`.
    """
    still_points, still = tf.stop_gradient(points), tf.stop_gradient(candidates)
    squared = tf.map_fn(
        lambda candidate: tf.reduce_sum(
            tf.square(still_points - candidate), axis=1
        ),
        still,
    )
    if is_same:
        squared = tf.linalg.set_diag(
            squared, tf.fill([points.shape[0]], math.inf)
        )
    # What is no number is nearest, so that it shows.
    squared = tf.where(tf.math.is_nan(squared), -1.0, squared)
    nearest = tf.gather(candidates, tf.argmin(squared, axis=0))
    return tf.reduce_sum(tf.square(points - nearest), axis=1)


def log_distance(squared):
    """Returns the logarithm of distances, finite where they are zero."""
    return 0.5 * tf.math.log(tf.maximum(squared, _SMALLEST_SQUARED_DISTANCE))

"""Vectors cut in two and joined, with gradients that XLA compiles in loops.

TensorFlow's own gradients ask for the axis that the forward pass had. Where a
flow is a function within a loop, that is no constant any more to XLA.
"""

import tensorflow as tf


@tf.custom_gradient
def join(first, second):
    """Joins along the last axis.

    Args:
        first: tensor `(..., m)`.
        second: tensor `(..., n)`.

    Returns:
        Tensor `(..., m + n)`.
    """
    size = first.shape[-1]

    def gradient(upstream):
        return upstream[..., :size], upstream[..., size:]

    return tf.concat([first, second], axis=-1), gradient


def cut(both, size):
    """Cuts along the last axis.

    Args:
        both: tensor `(..., m + n)`.
        size: m, an integer.

    Returns:
        Two tensors, `(..., m)` and `(..., n)`.
    """

    @tf.custom_gradient
    def halves(both):
        def gradient(first, second):
            return tf.concat([first, second], axis=-1)

        return (both[..., :size], both[..., size:]), gradient

    return halves(both)

"""What the authors' code did in the toy regression and nobody should do.

Its samples are flattened to one axis, so that each has a twin at the least
distance there is, and what keeps samples of q apart is a constant; and all KLs
are annealed to zero, not from zero.
"""

import math

import tensorflow as tf

import bbh_tf as bbh

_DELTA = 1e-8


class ConstantEntropyKL(bbh.divergences.SampleDivergence):
    """The kernel KL whose distances among samples of q are all 1e-4.

    What the authors' code computes is more than five times as large: each
    sample of q is compared with one sample of the prior, not with the nearest
    of `m`, and samples of q are added up where this takes their mean.
    """

    def __call__(self, posterior, prior):
        """Estimates the divergence.

        Args:
            posterior: list of tensors `(n, *shape)`, samples of q.
            prior: list of tensors `(m, *shape)`, samples of p.

        Returns:
            Scalar `float32` tensor, nats.
        """
        total = 0.0
        for q, p in zip(posterior, prior):
            to_prior = tf.sqrt(tf.square(q[:, None] - p[None]) + _DELTA)
            nearest = tf.reduce_min(to_prior, axis=1)
            ratio = nearest / (math.sqrt(_DELTA) + _DELTA) + _DELTA
            count = q.shape[0]
            constant = math.log(count / (count - 1))
            per_weight = tf.reduce_mean(tf.math.log(ratio), axis=0) + constant
            total += tf.reduce_sum(per_weight)
        return total

    def get_config(self):
        """Returns no arguments: there are none."""
        return {}


def annealing(step):
    """Returns 1 for three steps, 0.5 in the fourth, and 0 for ever after.

    Args:
        step: scalar `float32` tensor, steps done; each is one epoch.

    Returns:
        Scalar `float32` tensor, `clip(10 / (step + 1) - 2, 0, 1)`.
    """
    return tf.clip_by_value(10.0 / (step + 1.0) - 2.0, 0.0, 1.0)

"""Outputs drawn in the place of weights: the local reparameterisation."""

import tensorflow as tf

from bbh_tf import randomness

# A square root has no slope at 0, where inputs that are all 0 lead.
_SMALLEST_VARIANCE = 1e-30


def sample(mean, variance, seed_generator):
    """Draws outputs, each from a normal of its own.

    Args:
        mean: `float32` tensor of the means.
        variance: tensor of that shape; what rounding left below 0 counts as 0.
        seed_generator: a `keras.random.SeedGenerator`.

    Returns:
        Tensor of that shape.

    References:
        Kingma et al., Variational Dropout and the Local Reparameterization
        Trick, arXiv:1506.02557, Eq. 6.
    """
    noise = randomness.example_normal(tf.shape(mean), seed_generator)
    return mean + safe_sqrt(variance) * noise


def safe_sqrt(variance):
    """Returns the square root, with a finite slope at 0."""
    return tf.sqrt(tf.maximum(variance, _SMALLEST_VARIANCE))

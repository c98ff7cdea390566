"""Bounds on the log-density of kernels from many samples of z."""

import numpy as np
import tensorflow as tf

from bbh_tf import randomness
from bbh_tf.priors import latent_bound

# Kernels, and samples of z of each, that go through the decoder at once.
_KERNELS, _SAMPLES = 512, 10


def estimate(
    networks, kernels, noise_shape, num_samples, is_importance_weighted, seed
):
    """Bounds log p(w) of each kernel.

    Args:
        networks: a `priors.latent_bound.Networks`.
        kernels: array `(n, k, k)`.
        noise_shape: how many z there are, z_0 to z_T, and their dimension.
        num_samples: samples of z of each kernel.
        is_importance_weighted: whether to return the log-mean-exp of
            p(w, z) / r(z | w) over the samples; else the mean of its log.
        seed: seed of the samples.

    Returns:
        `float32` array `(n,)`, nats.
    """
    num_latents, latent_dim = noise_shape

    @tf.function
    def block(some, key, first, count):
        noise = [
            randomness.normal(
                randomness.fold(key, step),
                count,
                (some.shape[0], latent_dim),
                first,
            )
            for step in range(num_latents)
        ]
        return latent_bound.log_weights(
            networks, some, noise, not is_importance_weighted
        )

    found = []
    for start in range(0, len(kernels), _KERNELS):
        some = tf.constant(kernels[start : start + _KERNELS])
        key = randomness.key(seed, start)
        weights = np.concatenate(
            [
                block(
                    some,
                    key,
                    tf.constant(first),
                    min(_SAMPLES, num_samples - first),
                )
                for first in range(0, num_samples, _SAMPLES)
            ]
        )
        found.append(
            np.logaddexp.reduce(weights, axis=0) - np.log(num_samples)
            if is_importance_weighted
            else weights.mean(axis=0)
        )
    return np.concatenate(found).astype(np.float32)

"""A normal distribution of whole kernels, with all covariances."""

import math

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import normal
from bbh_tf import randomness
from bbh_tf.priors import kernel_prior


@keras.saving.register_keras_serializable(package="bbh_tf.priors")
class KernelNormal(kernel_prior.KernelPrior):
    """N(mean, covariance) for each slice of a kernel, over its pixels.

    `fit` finds mean and covariance from kernels of trained networks, in closed
    form; before, they are 0 and the identity, and in a clone made from the
    configuration alone they are so again. The density is exact.

    Args:
        kernel_size: height and width, an integer or two.
        others: prior of everything but kernels; None for N(0, 1).
        num_slices: how many slices a step uses; see `KernelPrior`.
        name: name of the layer.

    Raises:
        ValueError: if an argument is invalid.

    Example:

    ```python
    prior = bbh_tf.priors.KernelNormal(7)
    prior.fit(kernels_7x7)
    ```

    References:
        Atanov et al., The Deep Weight Prior, arXiv:1810.06943, App. C.
    """

    def __init__(self, kernel_size, others=None, num_slices=None, name=None):
        super().__init__(kernel_size, others, num_slices, name)
        self.build()

    def build(self, specs=None):
        """Makes mean and covariance; what specs there are does not count."""
        del specs
        if self.built:
            return
        size = math.prod(self.kernel_size)
        self._mean = self.add_weight(
            name="mean",
            shape=(size,),
            initializer="zeros",
            trainable=False,
            autocast=False,
        )
        self._factor = self.add_weight(
            name="cholesky_factor",
            shape=(size, size),
            initializer="identity",
            trainable=False,
            autocast=False,
        )
        self.built = True

    @property
    def trainable(self):
        """False: it was fitted to other networks' kernels."""
        return False

    @trainable.setter
    def trainable(self, value):
        del value

    def fit(self, kernels):
        """Takes the mean and the covariance of slices.

        Args:
            kernels: array `(count, height, width)`.

        Raises:
            ValueError: if their shape is another, one is not finite, or they
                have no covariance of full rank, as fewer than pixels have not.
        """
        kernels = kernel_prior.check_slices(kernels, self.kernel_size)
        flat = kernels.reshape(len(kernels), -1).astype(np.float64)
        mean = flat.mean(axis=0)
        covariance = (flat - mean).T @ (flat - mean) / len(flat)
        smallest = np.linalg.eigvalsh(covariance)[0]
        if len(flat) <= flat.shape[1] or smallest <= 1e-6 * np.trace(
            covariance
        ) / len(covariance):
            raise ValueError(
                "KernelNormal expects kernels whose covariance has full rank, "
                f"more than {flat.shape[1]} different ones; got {len(flat)}, "
                f"and a least eigenvalue of {smallest:.3g}."
            )
        self._mean.assign(mean)
        self._factor.assign(np.linalg.cholesky(covariance))

    def slice_log_prob(self, slices, key):
        """Computes the slices' log-densities; see `KernelPrior`."""
        del key
        size = math.prod(self.kernel_size)
        factor = tf.convert_to_tensor(self._factor)
        centred = tf.reshape(slices, (-1, size)) - self._mean
        white = tf.linalg.triangular_solve(factor, tf.transpose(centred))
        log_det = tf.reduce_sum(tf.math.log(tf.linalg.diag_part(factor)))
        return self.white_log_prob(tf.transpose(white)) - log_det

    def white_log_prob(self, white):
        """Computes log-densities of whitened pixels, `(slices, pixels)`."""
        return normal.log_prob(tf.square(white))

    def sample_slices(self, num_samples, count, key):
        """Draws slices; see `KernelPrior`."""
        white = self.sample_white(num_samples, count, key)
        drawn = self._mean + tf.einsum("sni,ji->snj", white, self._factor)
        return tf.reshape(drawn, (num_samples, count, *self.kernel_size))

    def sample_white(self, num_samples, count, key):
        """Draws whitened pixels, `(num_samples, count, pixels)`."""
        size = math.prod(self.kernel_size)
        return randomness.normal(key, num_samples, (count, size))

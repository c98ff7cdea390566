"""The posterior of multiplicative normalizing flows."""

import math

import keras
import tensorflow as tf

from bbh_tf import checkpointing
from bbh_tf import flows
from bbh_tf import normal
from bbh_tf import randomness
from bbh_tf import weights
from bbh_tf.layers import mnf_auxiliary

_INITIAL_Z_VARIANCE = 0.1
_INITIAL_SPREAD = 0.05


class MNFPosterior(checkpointing.Checkpointed, keras.layers.Layer):
    """q(W): a normal whose means random factors z multiply.

        z ~ q(z), the flow of N(z_mean, z_variance)
        W | z ~ N(z * mean, std^2), each weight by itself

    Args:
        scales_outputs: whether z has a factor for each output, which
            multiplies the bias too; otherwise, for each input.
        auxiliary_activation: activation of `MNFAuxiliary`.
        num_flows: see `MNF` for this and what follows.
        flow_units: width of the flow's hidden layers.
        num_auxiliary_flows: steps of the auxiliary flow.
        auxiliary_flow_units: width of its hidden layers.
        max_std: limit of the standard deviations, or None.
        initial_log_std: where they start.
        initial_z_mean: where the means of z start.
        prior_variance: variance of the prior, which is normal around 0.
        kernel_initializer: initialiser of the kernel's means, or None.
        name: name of the layer.
    """

    def __init__(
        self,
        scales_outputs,
        auxiliary_activation,
        num_flows,
        flow_units,
        num_auxiliary_flows,
        auxiliary_flow_units,
        max_std,
        initial_log_std,
        initial_z_mean,
        prior_variance,
        kernel_initializer,
        name=None,
    ):
        super().__init__(name=name, dtype="float32")
        self._scales_outputs = scales_outputs
        self._most = math.inf if max_std is None else max_std**2
        self._log_std = initial_log_std
        self._initial_z_mean = initial_z_mean
        self._prior_variance = prior_variance
        self._kernel_initializer = kernel_initializer
        self._flow = flows.MaskedRealNVP(num_flows, flow_units, name="flow")
        self._auxiliary = mnf_auxiliary.MNFAuxiliary(
            auxiliary_activation,
            num_auxiliary_flows,
            auxiliary_flow_units,
            name="auxiliary",
        )

    def build(self, specs):
        """Makes the parameters.

        Args:
            specs: list of `bbh_tf.weights.WeightSpec` of the kernel and, if
                there is one, the bias.
        """
        self._shapes = [spec.shape for spec in specs]
        self.dim = self._shapes[0][-1 if self._scales_outputs else 0]
        starts = [self._kernel_initializer, _around(0.0)]
        if starts[0] is None:
            starts[0] = keras.initializers.VarianceScaling()
        self.means = [
            self._add(f"{spec.name}_mean", spec.shape, start)
            for spec, start in zip(specs, starts)
        ]
        # The authors' code takes what it calls a log-variance of the kernel
        # for a log standard deviation, and starts both at the same number.
        self._log_scales = [
            self._add(f"{spec.name}_{what}", spec.shape, _around(self._log_std))
            for spec, what in zip(specs, ("log_std", "log_variance"))
        ]
        z_start = _around(self._initial_z_mean)
        self._z_mean = self._add("z_mean", (self.dim,), z_start)
        self._z_log_variance = self._add(
            "z_log_variance",
            (self.dim,),
            keras.initializers.Constant(math.log(_INITIAL_Z_VARIANCE)),
        )
        self._flow.build(self.dim)
        self._auxiliary.build(self.dim)

    def _add(self, name, shape, initializer):
        return self.add_weight(
            name=name, shape=shape, initializer=initializer, autocast=False
        )

    @property
    def z_noise_shape(self):
        """Shape of the normal noise that one z needs."""
        return (1 + self._flow.num_flows, self.dim)

    def log_variances(self):
        """Returns log-variances of kernel and bias, without any limit."""
        factors = (2.0, 1.0)
        return [f * scale for f, scale in zip(factors, self._log_scales)]

    def variances(self):
        """Returns variances of kernel and bias, within the limit."""
        return [tf.minimum(tf.exp(x), self._most) for x in self.log_variances()]

    def sample_z(self, noise):
        """Turns noise into factors.

        Args:
            noise: standard normal tensor `(n, *z_noise_shape)`.

        Returns:
            `(z, log_det)`: tensors of shapes `(n, dim)` and `(n,)`.
        """
        std = tf.exp(0.5 * self._z_log_variance)
        start = self._z_mean + std * noise[:, 0]
        return self._flow(start, mnf_auxiliary.masks_of(noise[:, 1:]))

    def sample(self, num_samples, key, position=0, first=0):
        """Draws kernel and bias; `(num_samples, *shape)` each."""
        z_noise, *noise = _noise(
            [self.z_noise_shape, *self._shapes],
            num_samples,
            randomness.fold(key, position),
            first,
        )
        z, _ = self.sample_z(z_noise)
        if self._scales_outputs:
            ones = [1] * (len(self._shapes[0]) - 1)
            factors = [tf.reshape(z, (-1, *ones, self.dim)), z]
        else:
            factors = [z[:, :, tf.newaxis], 1.0]
        return [
            factor * mean + tf.sqrt(variance) * epsilon
            for factor, mean, variance, epsilon in zip(
                factors, self.means, self.variances(), noise
            )
        ]

    def kl(self, key):
        """Estimates the bound of the KL from one z; see `MNF`.

        Args:
            key: a key of `bbh_tf.randomness`.

        Returns:
            Scalar `float32` tensor, nats.
        """
        log_variances = self.log_variances()
        num_scaled = len(self.means) if self._scales_outputs else 1
        means, variances = (
            [self._rows(tensor) for tensor in tensors[:num_scaled]]
            for tensors in (self.means, [tf.exp(x) for x in log_variances])
        )
        num_columns = sum(matrix.shape[1] for matrix in means)
        z_noise, noise = _noise(
            [self.z_noise_shape, (self._auxiliary.noise_size(num_columns),)],
            1,
            key,
        )
        z, log_det = self.sample_z(z_noise)
        # The normal's entropy is known, and has no noise.
        log_q = -log_det - normal.entropy(self._z_log_variance)
        log_r = self._auxiliary.log_prob(z, means, variances, noise)
        squares = sum(
            tf.reduce_sum(tf.square(z) * tf.reduce_sum(tf.square(x), 1), 1)
            for x in means
        ) + sum(tf.reduce_sum(tf.square(x)) for x in self.means[num_scaled:])
        weights_kl = 0.5 * (
            squares / self._prior_variance
            + sum(map(self._variance_kl, log_variances))
        )
        return tf.squeeze(weights_kl + log_q - log_r, axis=0)

    def _rows(self, tensor):
        """Returns a matrix with a row for each element of z."""
        if self._scales_outputs:
            return tf.transpose(tf.reshape(tensor, (-1, self.dim)))
        return tf.reshape(tensor, (self.dim, -1))

    def _variance_kl(self, log_variance):
        log_ratio = log_variance - math.log(self._prior_variance)
        return tf.reduce_sum(tf.exp(log_ratio) - log_ratio - 1.0)

    def get_build_config(self):
        """Returns None: the layer that owns a posterior builds it."""
        return None


def _around(value):
    return keras.initializers.TruncatedNormal(value, _INITIAL_SPREAD)


def _noise(shapes, num_samples, key, first=0):
    size = sum(map(math.prod, shapes))
    normal = randomness.normal(key, num_samples, (size,), first)
    return weights.unflatten(normal, shapes)

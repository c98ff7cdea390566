"""The bound on log p(w) of a density with hidden variables.

    p(w) = integral of p(w | z_T) prod_t p(z_{t+1} | z_t) p(z_0)

and, for any r(z_0, ..., z_T | w) and any number of samples from it,

    log p(w) >= E_r log mean_k p(w, z^k) / r(z^k | w).

Atanov et al., arXiv:1810.06943, Eqs. 6, 7 and 9, and 17 for several samples.
With T = 0 and one sample it is a variational autoencoder's bound.
"""

import typing

import tensorflow as tf

from bbh_tf import normal

# A softplus may round to 0.
_SMALLEST_VARIANCE = 1e-10


class Networks(typing.NamedTuple):
    """The networks of such a density; each gives means and variances.

    They are called as Keras models are, with `training=False`.

    Attributes:
        decoder: p(w | z_T), from `(n, latent_dim)` to twice `(n, *shape)`.
        reverse: r(z_T | w), from `(n, *shape)` to twice `(n, latent_dim)`.
        transitions: p(z_{t+1} | z_t), for t = 0, ..., T - 1; from
            `(n, latent_dim)` to twice the same.
        reverse_transitions: r(z_t | z_{t+1}), likewise, in the same order.
            They need not see w: given z_{t+1}, z_t does not depend on it.
    """

    decoder: typing.Any
    reverse: typing.Any
    transitions: typing.Sequence = ()
    reverse_transitions: typing.Sequence = ()

    @property
    def latent_dim(self):
        """Dimension of the hidden variables."""
        return self.decoder.input_shape[-1]


def log_weights(networks, w, noise, is_closed):
    """Computes log p(w, z) - log r(z | w) for samples z of r.

    Args:
        networks: `Networks`.
        w: `float32` tensor `(n, *shape)`.
        noise: list of T + 1 normal tensors `(num_samples, n, latent_dim)`,
            that of z_T first.
        is_closed: whether log p(z_0) - log r(z_0 | .) is replaced by its mean,
            which is known and varies less; right for a mean of these, not for
            a log-mean-exp.

    Returns:
        `float32` tensor `(num_samples, n)`, nats.
    """
    num_samples, dim = noise[0].shape[0], networks.latent_dim
    count = tf.shape(w)[0]
    rows = num_samples * count
    mean, variance = (
        tf.reshape(
            tf.broadcast_to(x, (num_samples, count, dim)),
            (rows, dim),
        )
        for x in _normal_of(networks.reverse, w)
    )
    noise = [tf.reshape(x, (rows, dim)) for x in noise]
    z = mean + tf.sqrt(variance) * noise[0]
    copies = tf.reshape(
        tf.broadcast_to(w, tf.concat([[num_samples], tf.shape(w)], 0)),
        tf.concat([[rows], tf.shape(w)[1:]], 0),
    )
    total = log_normal(copies, *_normal_of(networks.decoder, z))
    backwards = list(zip(networks.transitions, networks.reverse_transitions))
    for epsilon, (forward, back) in zip(noise[1:], reversed(backwards)):
        total -= log_normal(z, mean, variance)
        mean, variance = _normal_of(back, z)
        earlier = mean + tf.sqrt(variance) * epsilon
        total += log_normal(z, *_normal_of(forward, earlier))
        z = earlier
    if is_closed:
        total -= 0.5 * tf.reduce_sum(
            variance + tf.square(mean) - 1.0 - tf.math.log(variance), axis=1
        )
    else:
        total += log_normal(z, 0.0, 1.0) - log_normal(z, mean, variance)
    return tf.reshape(total, (num_samples, count))


def generate(networks, noise):
    """Draws from the density.

    Args:
        networks: `Networks`.
        noise: list of T + 1 normal tensors `(n, latent_dim)`, that of z_0
            first.

    Returns:
        Mean and variance of p(w | z_T), twice `(n, *shape)`.
    """
    z = noise[0]
    for forward, epsilon in zip(networks.transitions, noise[1:]):
        mean, variance = _normal_of(forward, z)
        z = mean + tf.sqrt(variance) * epsilon
    return _normal_of(networks.decoder, z)


def log_normal(x, mean, variance):
    """Log-density of independent normals, summed over all axes but one.

    Args:
        x: tensor `(n, ...)`.
        mean: a tensor that broadcasts to it, or a number.
        variance: likewise.

    Returns:
        Tensor `(n,)`, nats.
    """
    return normal.log_prob(
        tf.square(x - mean) / variance, tf.math.log(variance)
    )


def _normal_of(network, inputs):
    # A density: it has no dropout, and learns no moving averages.
    mean, variance = network(inputs, training=False)
    return mean, tf.maximum(variance, _SMALLEST_VARIANCE)

"""Log-densities of many samples under a few distributions."""

import tensorflow as tf

from bbh_tf import weights


def log_prob(distributions, samples):
    """Sums the log-densities of tensors, sample by sample.

    Args:
        distributions: list of `tfp.distributions.Distribution`, one for each
            tensor, whose batch shape broadcasts to the tensor's.
        samples: list of `float32` tensors `(num_samples, *shape)`.

    Returns:
        `float32` tensor `(num_samples,)`, nats.
    """
    groups = {}
    for index, distribution in enumerate(distributions):
        # One of many weights' own fits its tensor alone.
        is_scalar = distribution.batch_shape.rank == 0
        key = ("same", id(distribution)) if is_scalar else index
        groups.setdefault(key, []).append(index)
    return tf.add_n(
        [
            _log_prob(
                distributions[indices[0]],
                weights.flatten([samples[index] for index in indices])
                if len(indices) > 1
                else samples[indices[0]],
            )
            for indices in groups.values()
        ]
    )


def _log_prob(distribution, samples):
    def sums(samples):
        values = tf.cast(samples, distribution.dtype)
        each = tf.cast(distribution.log_prob(values), tf.float32)
        return tf.reduce_sum(tf.reshape(each, (samples.shape[0], -1)), axis=1)

    # One pass over the samples, not one for each operation. Called eagerly, it
    # would be compiled anew each time.
    if not tf.executing_eagerly():
        sums = tf.function(sums, jit_compile=True, autograph=False)
    return sums(samples)

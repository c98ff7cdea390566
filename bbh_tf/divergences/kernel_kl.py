"""The nearest-neighbour KL of Bayes by Hypernet."""

import math

import keras
import tensorflow as tf

from bbh_tf.divergences import divergence

# The authors' code adds this under the root, to the denominator and inside
# the logarithm.
_RELEASED_CODE_TERM = 1e-8
# Two equal samples would give log(0); float32 has no smaller normal number
# whose reciprocal is finite.
_SMALLEST_DISTANCE = 1e-37
# Beyond this many unrolled neighbours XLA compiles for longer than it saves.
_MAX_COMPILED_NEIGHBOURS = 64


@keras.saving.register_keras_serializable(package="bbh_tf.divergences")
class KernelKL(divergence.Divergence):
    """Estimates KL(q || p) from samples by nearest-neighbour distances.

    With n posterior samples `q_i` and m prior samples `p_j` in d dimensions:

        KL = d / n * sum_i log(min_j |q_i - p_j| / min_{j != i} |q_i - q_j|)
             + log(m / (n - 1))

    The paper treats every weight on its own (`per_weight=True`): d = 1, and
    the estimate is summed over the weights. `per_weight=False` takes the
    whole network as one point. An estimate may be negative. With few samples
    it is biased where q is wider than p: at n = m = 5, q = N(0, 4) and
    p = N(0, 1) it averages 0.135 nats where the truth is 0.807.

    Memory is a few `(n, weights)` tensors, whatever m.

    Args:
        per_weight: whether each weight is a sample space of its own.
        released_code: use the formula as the authors' code has it: 1e-8
            under the root (so that no distance is below 1e-4), in the
            denominator and inside the logarithm, and the constant
            log(n / (n - 1)) once per weight in both forms.

    Example:

    ```python
    kl = bbh_tf.divergences.KernelKL()
    kl([tf.random.normal((5, 800, 500))], [tf.random.normal((5, 800, 500))])
    ```

    References:
        Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
        arXiv:1711.01297, Eq. 2 and App. A.
    """

    min_posterior_samples = 2

    def __init__(self, per_weight=True, released_code=False):
        self.per_weight = bool(per_weight)
        self.released_code = bool(released_code)

    def __call__(self, posterior, prior):
        """Estimates the divergence.

        Args:
            posterior: samples of q: a tensor of shape `(n, *shape)`, n >= 2,
                or a list of such tensors, one for each weight tensor.
            prior: samples of p in the same form, `(m, *shape)`, m >= 1.

        Returns:
            Scalar `float32` tensor, nats, for all weights together.

        Raises:
            ValueError: if the lists, shapes or numbers of samples do not fit.
        """
        posterior, prior = _as_samples(posterior), _as_samples(prior)
        _check(posterior, prior)
        posterior, prior = (
            [tf.reshape(x, (x.shape[0], -1)) for x in side]
            for side in (posterior, prior)
        )
        neighbours = posterior[0].shape[0] + prior[0].shape[0]
        if neighbours <= _MAX_COMPILED_NEIGHBOURS:
            return _compiled_estimate(
                posterior, prior, self.per_weight, self.released_code
            )
        return _estimate(posterior, prior, self.per_weight, self.released_code)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "per_weight": self.per_weight,
            "released_code": self.released_code,
        }


def _estimate(posterior, prior, per_weight, released_code):
    n, m = posterior[0].shape[0], prior[0].shape[0]
    num_weights = sum(q.shape[1] for q in posterior)
    if per_weight:
        pieces = [([q], [p]) for q, p in zip(posterior, prior)]
    else:
        pieces = [(posterior, prior)]
    total = 0.0
    for q, p in pieces:
        # Rolling the samples by 1, ..., n - 1 pairs each with every other.
        own = _nearest(
            [[tf.roll(x, shift, axis=0) for x in q] for shift in range(1, n)],
            q,
            per_weight,
        )
        other = _nearest(
            [[x[j : j + 1] for x in p] for j in range(m)], q, per_weight
        )
        total += tf.reduce_sum(_log_ratio(other, own, released_code)) / n
    if not per_weight:
        total *= num_weights
    if released_code:
        return total + num_weights * math.log(n / (n - 1))
    constant = math.log(m / (n - 1))
    return total + (num_weights * constant if per_weight else constant)


_compiled_estimate = tf.function(_estimate, jit_compile=True, autograph=False)


def _nearest(candidates, points, per_weight):
    """Squared distance to the nearest candidate, per weight or over all.

    Only one `(n, weights)` tensor of differences is alive at a time, and the
    gradient goes to the nearest pair alone.
    """
    nearest = None
    for candidate in candidates:
        if per_weight:
            squared = tf.square(points[0] - candidate[0])
        else:
            squared = tf.add_n(
                [
                    tf.reduce_sum(tf.square(x - y), axis=1)
                    for x, y in zip(points, candidate)
                ]
            )
        if nearest is None:
            nearest = squared
        else:
            nearest = tf.where(squared < nearest, squared, nearest)
    return nearest


def _log_ratio(squared_to_prior, squared_to_posterior, released_code):
    if released_code:
        delta = _RELEASED_CODE_TERM
        above = tf.sqrt(squared_to_prior + delta)
        below = tf.sqrt(squared_to_posterior + delta) + delta
        return tf.math.log(above / below + delta)
    above = tf.maximum(squared_to_prior, _SMALLEST_DISTANCE)
    below = tf.maximum(squared_to_posterior, _SMALLEST_DISTANCE)
    return 0.5 * (tf.math.log(above) - tf.math.log(below))


def _as_samples(samples):
    if not isinstance(samples, (list, tuple)):
        samples = [samples]
    return [tf.convert_to_tensor(x, tf.float32) for x in samples]


def _check(posterior, prior):
    shapes = [[tuple(x.shape) for x in side] for side in (posterior, prior)]
    if not posterior or len(posterior) != len(prior):
        raise ValueError(
            "KernelKL expects as many prior as posterior tensors, at least "
            f"one; got {len(posterior)} and {len(prior)}."
        )
    for q_shape, p_shape in zip(*shapes):
        if len(q_shape) < 1 or q_shape[1:] != p_shape[1:]:
            raise ValueError(
                "KernelKL expects posterior samples (n, *shape) and prior "
                f"samples (m, *shape); got {q_shape} and {p_shape}."
            )
    n, m = ({shape[0] for shape in side} for side in shapes)
    if len(n) != 1 or len(m) != 1:
        raise ValueError(
            "KernelKL expects the same number of samples of every tensor; "
            f"got {sorted(n)} of the posterior and {sorted(m)} of the prior."
        )
    if min(n) < 2 or min(m) < 1:
        raise ValueError(
            "KernelKL expects at least 2 posterior and 1 prior samples; got "
            f"{min(n)} and {min(m)}."
        )

"""The nearest-neighbour KL of Bayes by Hypernet."""

import math

import keras
import tensorflow as tf

from bbh_tf import weights
from bbh_tf.divergences import divergence
from bbh_tf.divergences import nearest_neighbours
from bbh_tf.divergences import samples

# The authors' code adds this under the root, to the denominator and inside
# the logarithm.
_RELEASED_CODE_TERM = 1e-8


@keras.saving.register_keras_serializable(package="bbh_tf.divergences")
class KernelKL(divergence.Divergence):
    """Estimates KL(q || p) from samples by nearest-neighbour distances.

    With n posterior samples `q_i` and m prior samples `p_j` in d dimensions:

        KL = d / n * sum_i log(min_j |q_i - p_j| / min_{j != i} |q_i - q_j|)
             + log(m / (n - 1))

    The paper treats every weight on its own (`per_weight=True`): d = 1, and
    the estimate is summed over the weights. `per_weight=False` takes the
    whole network as one point. An estimate may be negative. With few samples
    it is biased where q is wider than p: at n = m = 5, q = N(0, 2^2) and
    p = N(0, 1) it averages 0.042 nats a weight where the truth is 0.807, and
    among all N(0, s^2) it is least near s = 1.4, not at s = 1.

    Memory, that of the gradient included, is a few times that of the samples.
    Time grows with n * (n + m).

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
        posterior = samples.as_samples(posterior)
        prior = samples.as_samples(prior)
        _check(posterior, prior)
        # One tensor a side: XLA takes a minute to compile for fifty.
        return _estimate(
            weights.flatten(posterior),
            weights.flatten(prior),
            self.per_weight,
            self.released_code,
        )

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "per_weight": self.per_weight,
            "released_code": self.released_code,
        }


def _estimate(posterior, prior, per_weight, released_code):
    settings = (per_weight, released_code)

    # Value and gradient come from one compiled function. Left to itself
    # TensorFlow would hand every step of the way from one to another.
    @tf.custom_gradient
    def estimate(posterior, prior):
        posterior, prior = tf.stop_gradient(posterior), tf.stop_gradient(prior)
        value, to_posterior = _with_gradient(posterior, prior, 0, *settings)

        def gradient(upstream):
            # Not run where nobody asks, as for a prior without parameters.
            _, to_prior = _with_gradient(posterior, prior, 1, *settings)
            return upstream * to_posterior, upstream * to_prior

        return value, gradient

    return estimate(posterior, prior)


@tf.function(jit_compile=True, autograph=False)
def _with_gradient(posterior, prior, source, per_weight, released_code):
    with tf.GradientTape() as tape:
        sources = posterior, prior
        tape.watch(sources[source])
        value = _value(posterior, prior, per_weight, released_code)
    return value, tape.gradient(value, sources[source])


def _value(posterior, prior, per_weight, released_code):
    (n, num_weights), m = posterior.shape, prior.shape[0]
    nearest = (
        nearest_neighbours.by_weight
        if per_weight
        else nearest_neighbours.of_all
    )
    to_prior = nearest(posterior, prior, is_same=False)
    to_posterior = nearest(posterior, posterior, is_same=True)
    ratios = _log_ratio(to_prior, to_posterior, released_code)
    dimension = 1 if per_weight else num_weights
    estimate = dimension * tf.reduce_sum(ratios) / n
    if released_code:
        return estimate + num_weights * math.log(n / (n - 1))
    constants = num_weights if per_weight else 1
    return estimate + constants * math.log(m / (n - 1))


def _log_ratio(squared_to_prior, squared_to_posterior, released_code):
    if released_code:
        delta = _RELEASED_CODE_TERM
        above = tf.sqrt(squared_to_prior + delta)
        below = tf.sqrt(squared_to_posterior + delta) + delta
        return tf.math.log(above / below + delta)
    return nearest_neighbours.log_distance(
        squared_to_prior
    ) - nearest_neighbours.log_distance(squared_to_posterior)


def _check(posterior, prior):
    for x in (*posterior, *prior):
        if not x.shape.is_fully_defined():
            raise ValueError(
                f"KernelKL expects samples of known shape; got shape {x.shape}."
            )
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

"""The nearest-neighbour KL of Bayes by Hypernet."""

import math
import typing

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import weights
from bbh_tf.divergences import nearest_neighbours
from bbh_tf.divergences import sample_divergence
from bbh_tf.divergences import samples

# The authors' code adds this under the root, to the denominator and inside
# the logarithm.
_RELEASED_CODE_TERM = 1e-8
_PRIOR_SAMPLES_OF_SEVERAL_NEIGHBOURS = 20


@keras.saving.register_keras_serializable(package="bbh_tf.divergences")
class KernelKL(sample_divergence.SampleDivergence):
    """Estimates KL(q || p) from samples by nearest-neighbour distances.

    With n posterior samples `q_i` and m prior samples `p_j` in d dimensions:

        KL = d / n * sum_i log(nu_k(i) / rho_k(i)) + log(m / (n - 1))

    with nu_k(i) the distance from `q_i` to its k-th nearest `p_j`, and
    rho_k(i) to its k-th nearest `q_j`, j != i. The paper has k = 1, and treats
    every weight on its own (`per_weight=True`): d = 1, and the estimate is
    summed over the weights. `per_weight=False` takes the whole network as one
    point. An estimate may be negative.

    With few samples it is biased where q is wider than p: at n = m = 5,
    q = N(0, 2^2) and p = N(0, 1) it averages 0.042 nats a weight where the
    truth is 0.807, and among all N(0, s^2) it is smallest near s = 1.4, not at
    s = 1. At k = 3 and m = 5 it has no minimum at all: with k > 1, a model
    draws at least 20 prior samples, m = max(n, 20), unless told otherwise.
    `NearestNeighbourEntropy` needs none.

    The gradient is one over a distance. Per weight, its variance is infinite
    with k = 1 and k = 2, and finite from k = 3 on. `min_distance` bounds the
    gradient at any k. A hypernetwork that makes many weights from the same
    noise needs that: where two noise vectors are close, so are all pairs of
    weights. The price is that posteriors narrower than that all count alike.

    Memory, that of the gradient included, is a few times that of the samples.
    Time grows with n * (n + m).

    Args:
        per_weight: whether each weight is treated by itself.
        released_code: use the formula as the authors' code has it: 1e-8
            under the root (so that no distance is below 1e-4), in the
            denominator and inside the logarithm, and the constant
            log(n / (n - 1)) once per weight in both forms.
        num_neighbours: which neighbour's distance is taken, k.
        min_distance: e in sqrt(distance^2 + e^2), which each distance counts
            as; 1e-4 does what the authors' code does, and 0 is the formula.

    Raises:
        ValueError: if `num_neighbours` is no positive integer, or
            `min_distance` is negative; or, with `released_code`, if the first
            is not 1 or the second not 0.

    Example:

    ```python
    kl = bbh_tf.divergences.KernelKL()
    kl([tf.random.normal((5, 800, 500))], [tf.random.normal((5, 800, 500))])
    ```

    References:
        Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
        arXiv:1711.01297, Eq. 2 and App. A.
        Wang, Kulkarni and Verdú, Divergence Estimation for Multidimensional
        Densities Via k-Nearest-Neighbor Distances, IEEE Transactions on
        Information Theory 55 (2009) (k > 1).
    """

    def __init__(
        self,
        per_weight=True,
        released_code=False,
        num_neighbours=1,
        min_distance=0.0,
    ):
        self.per_weight = checks.flag("per_weight", per_weight)
        self.released_code = checks.flag("released_code", released_code)
        checks.check_count("num_neighbours", num_neighbours)
        self.num_neighbours = int(num_neighbours)
        checks.check_factor("min_distance", min_distance)
        self.min_distance = float(min_distance)
        if self.released_code and self.num_neighbours != 1:
            raise ValueError(
                "The released code knows num_neighbours=1 only; got "
                f"{num_neighbours}."
            )
        if self.released_code and self.min_distance:
            raise ValueError(
                "The released code has a min_distance of its own, 1e-4; got "
                f"{min_distance}."
            )

    @property
    def min_posterior_samples(self):
        """Fewest n: each sample has k neighbours among the others."""
        return self.num_neighbours + 1

    @property
    def min_prior_samples(self):
        """Fewest m."""
        return self.num_neighbours

    def num_prior_draws(self, num_samples, given=None):
        """Returns m; for several neighbours at least 20, unless given."""
        if given is None and self.num_neighbours > 1:
            # With fewer, the estimate has no minimum.
            given = max(num_samples, _PRIOR_SAMPLES_OF_SEVERAL_NEIGHBOURS)
        return super().num_prior_draws(num_samples, given)

    def __call__(self, posterior, prior):
        """Estimates the divergence.

        Args:
            posterior: samples of q: a tensor of shape `(n, *shape)`,
                n > `num_neighbours`, or a list of such tensors, one for each
                weight tensor.
            prior: samples of p in the same form, `(m, *shape)`,
                m >= `num_neighbours`.

        Returns:
            Scalar `float32` tensor, nats, for all weights together.

        Raises:
            ValueError: if the lists, shapes or numbers of samples do not fit.
        """
        posterior = samples.as_samples(posterior)
        prior = samples.as_samples(prior)
        samples.check_pair(
            "KernelKL",
            posterior,
            prior,
            self.min_posterior_samples,
            self.min_prior_samples,
        )
        # One tensor a side: XLA takes a minute to compile for fifty.
        estimate = _estimate_by_weight if self.per_weight else _value_of_all
        return estimate(
            weights.flatten(posterior),
            weights.flatten(prior),
            self.num_neighbours,
            _Terms(self.released_code, self.min_distance),
        )

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "per_weight": self.per_weight,
            "released_code": self.released_code,
            "num_neighbours": self.num_neighbours,
            "min_distance": self.min_distance,
        }


class _Terms(typing.NamedTuple):
    """What is added to distances; nothing where both are zero."""

    released_code: bool
    min_distance: float

    def log_ratio(self, to_prior, to_posterior):
        """Sums log(to_prior / to_posterior)."""
        above, below = map(self._at_least, (to_prior, to_posterior))
        if self.released_code:
            delta = _RELEASED_CODE_TERM
            return tf.reduce_sum(tf.math.log(above / (below + delta) + delta))
        sum_of_logs = nearest_neighbours.sum_of_logs
        return sum_of_logs(above) - sum_of_logs(below)

    def derivatives(self, to_prior, to_posterior):
        """Those of `log_ratio` by the logarithms of the distances."""
        if not any(self):
            return 1.0, -1.0
        both = to_prior, to_posterior
        with tf.GradientTape() as tape:
            tape.watch(both)
            ratio = self.log_ratio(*both)
        return [g * x for g, x in zip(tape.gradient(ratio, both), both)]

    def _at_least(self, distances):
        if not any(self):
            return distances
        term = self.min_distance**2
        if self.released_code:
            term = _RELEASED_CODE_TERM
        return tf.sqrt(tf.square(distances) + term)


def _estimate_by_weight(posterior, prior, num_neighbours, terms):
    # Value and gradients are a compiled function each, of the samples and the
    # distances. TensorFlow would hand every step of the way to the gradient.
    @tf.custom_gradient
    def estimate(posterior, prior):
        sides = tf.stop_gradient(posterior), tf.stop_gradient(prior)
        distances = _distances(*sides, num_neighbours)
        value = _value_by_weight(*sides, *distances, terms)

        def gradient(upstream):
            found = *sides, *distances, upstream, terms
            # The second is not run where nobody asks, as for a prior without
            # parameters.
            return _to_posterior(*found), _to_prior(*found)

        return value, gradient

    return estimate(posterior, prior)


@tf.function(jit_compile=True, autograph=False)
def _distances(posterior, prior, num_neighbours):
    return [
        nearest_neighbours.distances(posterior, others, num_neighbours)
        for others in (prior, posterior)
    ]


@tf.function(jit_compile=True, autograph=False)
def _value_by_weight(posterior, prior, to_prior, to_posterior, terms):
    (n, num_weights), m = posterior.shape, prior.shape[0]
    value = terms.log_ratio(to_prior, to_posterior) / n
    m = n if terms.released_code else m
    value += num_weights * math.log(m / (n - 1))
    return nearest_neighbours.shown(value, posterior, prior)


@tf.function(jit_compile=True, autograph=False)
def _to_posterior(posterior, prior, to_prior, to_posterior, upstream, terms):
    factors = terms.derivatives(to_prior, to_posterior)
    of_prior, of_posterior = zip((to_prior, to_posterior), factors)
    gradient = nearest_neighbours.pull(posterior, prior, of_prior)
    gradient += nearest_neighbours.pull(
        posterior, posterior, of_posterior, of_posterior
    )
    return upstream / posterior.shape[0] * gradient


@tf.function(jit_compile=True, autograph=False)
def _to_prior(posterior, prior, to_prior, to_posterior, upstream, terms):
    factor, _ = terms.derivatives(to_prior, to_posterior)
    gradient = nearest_neighbours.pull(
        prior, posterior, of_others=(to_prior, factor)
    )
    return upstream / posterior.shape[0] * gradient


@tf.function(jit_compile=True, autograph=False)
def _value_of_all(posterior, prior, num_neighbours, terms):
    (n, num_weights), m = posterior.shape, prior.shape[0]
    to_prior, to_posterior = (
        nearest_neighbours.norms(posterior, others, num_neighbours)
        for others in (prior, posterior)
    )
    constant = math.log(m / (n - 1))
    if terms.released_code:
        constant = num_weights * math.log(n / (n - 1))
    ratios = terms.log_ratio(to_prior, to_posterior)
    value = num_weights * ratios / n + constant
    return nearest_neighbours.shown(value, posterior, prior)

"""KL from a nearest-neighbour entropy and the prior's own density."""

import math

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import weights
from bbh_tf.divergences import alternatives
from bbh_tf.divergences import divergence
from bbh_tf.divergences import nearest_neighbours
from bbh_tf.divergences import pair as pairing
from bbh_tf.divergences import samples

# Weights of a tensor whose copy takes longer than XLA's second call.
_LARGE = 1 << 17


@keras.saving.register_keras_serializable(package="bbh_tf.divergences")
class NearestNeighbourEntropy(divergence.Divergence):
    """Estimates KL(q || p) = -H(q) - E_q[log p(w)], weight by weight.

    The entropy H of each weight is the Kozachenko-Leonenko estimate from n
    posterior samples `q_i`,

        H = 1/k + 1/(k + 1) + ... + 1/(n - 1) + log(2)
            + 1/n * sum_i log(rho_k(i)),

    with rho_k(i) the distance from `q_i` to its k-th nearest among the others,
    and the second term is the mean of the prior's exact log-density over the
    same samples. Unlike `KernelKL` it needs no prior samples, and so has none
    of their noise, but it needs a prior with a density. An estimate may be
    negative. For normal q its bias is constant: +0.05 nats per weight at n = 5
    and k = 1, +0.03 at k = 3. (At k = 3 it is +0.12 for Laplace and -0.23 for
    uniform q; narrow modes far apart count as one wide one.) The gradient is
    one over a distance; its variance is infinite with k = 1 and finite with
    k = 3, the default. The estimates of all weights are added up as if these
    were independent: dependence between weights is not charged for.

    Args:
        num_neighbours: which neighbour's distance is taken, k.

    Raises:
        ValueError: if `num_neighbours` is no positive integer.

    Example:

    ```python
    kl = bbh_tf.divergences.NearestNeighbourEntropy()
    kl([tf.random.normal((5, 800, 500))], [tfd.Normal(0.0, 1.0)])
    ```

    References:
        Kozachenko and Leonenko, Sample Estimate of the Entropy of a Random
        Vector, Problems of Information Transmission 23 (1987), for k = 1.
        Kraskov, Stögbauer and Grassberger, Estimating Mutual Information,
        Physical Review E 69 (2004), Eq. 20, for any k. The combination is
        this library's, not the paper's.
    """

    def __init__(self, num_neighbours=3):
        checks.check_count("num_neighbours", num_neighbours)
        self.num_neighbours = int(num_neighbours)

    def num_draws(self, num_samples):
        """Returns `num_samples`, if each has k neighbours among the others."""
        self._check_at_least(
            "num_samples", self.num_neighbours + 1, num_samples
        )
        return num_samples

    def check(self, pairs):
        """Refuses a prior without a density of single weights.

        Raises:
            ValueError: naming the layer, and what would do.
        """
        for pair in pairs:
            found = pair.prior.distributions(pair.specs)
            if (
                not pair.prior.has_log_prob(pair.specs)
                or found is None
                or any(p.event_shape.rank for p in found)
            ):
                raise ValueError(
                    "NearestNeighbourEntropy needs a prior with a density for "
                    f"each weight; layer {pair.name!r} has "
                    f"{type(pair.prior).__name__}, which has no density of "
                    f"single weights. {alternatives.of(pair)}"
                )

    def estimate(self, pairs, num_prior_samples, key):
        """Estimates the entropy of the draws, and their density."""
        del num_prior_samples, key
        trains = [pair.prior_trains for pair in pairs for _ in pair.specs]
        return self._sum(
            pairing.samples_of(pairs), pairing.distributions_of(pairs), trains
        )

    def __call__(self, posterior, prior):
        """Estimates the divergence.

        Args:
            posterior: samples of q: a tensor of shape `(n, *shape)`,
                n > `num_neighbours`, or a list of such tensors, one for each
                weight tensor.
            prior: `tfp.distributions.Distribution` of one weight, or of a
                tensor of them; or a list of such, one for each tensor.

        Returns:
            Scalar `float32` tensor, nats, for all weights together. Its
            gradient is with respect to the samples, and to `tf.Variable`s of
            the prior; not to other tensors that the prior was made of.

        Raises:
            ValueError: if the lists or numbers of samples do not fit.
        """
        if not isinstance(prior, (list, tuple)):
            prior = [prior]
        trains = [bool(getattr(p, "trainable_variables", ())) for p in prior]
        return self._sum(samples.as_samples(posterior), prior, trains)

    def _sum(self, posterior, prior, trains):
        """Adds up estimates; `trains` says which priors have a gradient."""
        _check(posterior, prior, self.num_neighbours + 1)
        trains = {id(p): train for p, train in zip(prior, trains)}
        posterior, prior = _to_one_normal(posterior, prior, trains)
        # All weights of one prior at once: XLA takes a minute to compile for
        # fifty tensors.
        return tf.add_n(
            [
                _estimate(
                    tensors[0]
                    if p.batch_shape.rank
                    else weights.flatten(tensors),
                    p,
                    self.num_neighbours,
                    trains.get(id(p), False),
                )
                for p, tensors in _by_prior(posterior, prior)
            ]
        )

    def get_config(self):
        """Returns the constructor's arguments."""
        return {"num_neighbours": self.num_neighbours}


def _to_one_normal(posterior, prior, trains):
    """Standardises tensors under different normals, for one estimate.

    The KL of w and of (w - loc) / scale is the same, and XLA compiles it once.
    A tensor that is most of all is estimated by itself in any case.
    """
    import tensorflow_probability as tfp

    # A subclass may have another density.
    places = [
        place
        for place, p in enumerate(prior)
        if type(p) is tfp.distributions.Normal
        and not p.batch_shape.rank
        and not trains[id(p)]
    ]
    most = _most_of_all([posterior[place] for place in places])
    if most is not None:
        del places[most]
    if len({id(prior[place]) for place in places}) < 2:
        return posterior, prior
    posterior, prior = list(posterior), list(prior)
    standard = tfp.distributions.Normal(0.0, 1.0)
    for place in places:
        x, p = posterior[place], prior[place]
        loc, scale = (tf.cast(y, x.dtype) for y in (p.loc, p.scale))
        posterior[place], prior[place] = (x - loc) / scale, standard
    return posterior, prior


def _by_prior(posterior, prior):
    """Returns pairs of a prior and the tensors that it is the prior of."""
    groups = {}
    for x, p in zip(posterior, prior):
        # One of many weights' own fits its tensor alone.
        key = len(groups) if p.batch_shape.rank else f"id {id(p)}"
        groups.setdefault(key, (p, []))[1].append(x)
    return [
        (p, part)
        for p, tensors in groups.values()
        for part in _largest_apart(tensors)
    ]


def _largest_apart(tensors):
    """Takes out the tensor that is most of all: joining it would copy it."""
    place = _most_of_all(tensors)
    if len(tensors) == 1 or place is None:
        return [tensors]
    return [tensors[place : place + 1], tensors[:place] + tensors[place + 1 :]]


def _most_of_all(tensors):
    """Returns the place of a large tensor of at least half of all weights."""
    sizes = [math.prod(x.shape[1:]) for x in tensors]
    most = max(sizes, default=0)
    if not sizes or most < max(_LARGE, sum(sizes) / 2):
        return None
    return sizes.index(most)


def _estimate(points, prior, num_neighbours, trains):
    """Estimates the divergence of samples `(n, *shape)` from one prior."""

    def log_prior(points):
        each = prior.log_prob(tf.cast(points, prior.dtype))
        return tf.reduce_sum(tf.cast(each, tf.float32))

    @_compiled
    def value_of(points, distances):
        n, count = points.shape[0], math.prod(points.shape[1:])
        # psi(n) - psi(k), psi being the digamma function.
        constant = math.log(2.0) + sum(1 / j for j in range(num_neighbours, n))
        sums = nearest_neighbours.sum_of_logs(distances)
        if not trains:
            sums += log_prior(points)
        value = -sums / n - count * constant
        return nearest_neighbours.shown(value, points)

    @_compiled
    def gradient_of(points, distances, upstream):
        own = distances, 1.0
        gradient = nearest_neighbours.pull(points, points, own, own)
        if not trains:
            with tf.GradientTape() as tape:
                tape.watch(points)
                value = log_prior(points)
            gradient += tape.gradient(value, points)
        return -upstream / points.shape[0] * gradient

    # The gradient of each sample is found from the distances alone.
    # TensorFlow would keep every step of the way for it.
    @tf.custom_gradient
    def estimate(points):
        points = tf.stop_gradient(points)
        distances = _distances(points, num_neighbours)
        return value_of(points, distances), lambda upstream: gradient_of(
            points, distances, upstream
        )

    if trains:
        # The prior's parameters have a gradient, too, which is TensorFlow's.
        return estimate(points) - log_prior(points) / points.shape[0]
    return estimate(points)


@tf.function(jit_compile=True, autograph=False)
def _distances(points, num_neighbours):
    return nearest_neighbours.distances(points, points, num_neighbours)


def _compiled(function):
    # Called eagerly, it would be compiled anew each time.
    if tf.executing_eagerly():
        return function
    return tf.function(function, jit_compile=True, autograph=False)


def _check(posterior, prior, fewest):
    if not posterior or len(posterior) != len(prior):
        raise ValueError(
            "NearestNeighbourEntropy expects as many priors as posterior "
            f"tensors, at least one; got {len(prior)} and {len(posterior)}."
        )
    samples.check("NearestNeighbourEntropy", posterior, "posterior", fewest)
    for x, p in zip(posterior, prior):
        batch = p.batch_shape
        if (
            p.event_shape.rank
            or tf.broadcast_static_shape(batch, x.shape[1:]) != x.shape[1:]
        ):
            raise ValueError(
                "NearestNeighbourEntropy expects the prior of each weight, of "
                f"a shape that broadcasts to {tuple(x.shape[1:])}; got batch "
                f"shape {tuple(batch)} and event shape {tuple(p.event_shape)}."
            )

"""The entropy's estimate against the formula and against closed forms."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import bbh_tf as bbh
from bbh_tf.divergences import NearestNeighbourEntropy
from bbh_tf.divergences import nearest_neighbour_entropy
from tests.models import small_models

tfd = tfp.distributions


def reference(samples, log_prob, k=1):
    """Each weight in turn, in double precision; nats for all weights."""
    flat = np.asarray(samples, np.float64).reshape(len(samples), -1)
    n, total = len(flat), 0.0
    harmonic = sum(1 / j for j in range(k, n))
    for column in flat.T:
        gaps = np.abs(column[:, None] - column[None])
        gaps[range(n), range(n)] = np.inf
        total -= harmonic + math.log(2) + np.log(np.sort(gaps)[:, k - 1]).mean()
        total -= log_prob(column).mean()
    return total


def standard_normal(x):
    return -0.5 * (x**2 + math.log(2 * math.pi))


# Few samples are sorted, many are visited in a loop.
@pytest.mark.parametrize(
    ("n", "k"),
    [(2, 1), (3, 1), (5, 1), (5, 2), (5, 3), (4, 3), (12, 1), (12, 3)],
)
def test_equals_the_formula(n, k):
    estimate = NearestNeighbourEntropy(num_neighbours=k)
    generator = np.random.default_rng(n)
    samples = [
        generator.normal(0.3, 0.5, (n, *shape)).astype(np.float32)
        for shape in ((3, 4), (), (5,))
    ]
    expected = sum(reference(x, standard_normal, k) for x in samples)
    value = estimate(samples, [tfd.Normal(0.0, 1.0)] * 3)
    assert value.dtype == tf.float32 and value.shape == ()
    assert float(value) == pytest.approx(expected, rel=1e-5)
    one = estimate(samples[0], tfd.Normal(0.0, 1.0))
    assert float(one) == pytest.approx(
        reference(samples[0], standard_normal, k), rel=1e-5
    )


def test_a_tensor_that_is_most_of_all_is_estimated_by_itself(monkeypatch):
    samples = [
        bbh.randomness.normal(bbh.randomness.key(i), 5, shape)
        for i, shape in enumerate(((3,), (8, 50), (7,)))
    ]
    prior = [tfd.Normal(0.0, 1.0)] * 3

    def estimate():
        with tf.GradientTape() as tape:
            tape.watch(samples)
            value = NearestNeighbourEntropy(3)(samples, prior)
        return value, tape.gradient(value, samples)

    value, gradients = estimate()
    calls = []
    own = nearest_neighbour_entropy._estimate
    monkeypatch.setattr(nearest_neighbour_entropy, "_LARGE", 400)
    monkeypatch.setattr(
        nearest_neighbour_entropy,
        "_estimate",
        lambda points, *rest: calls.append(points.shape) or own(points, *rest),
    )
    apart, gradients_apart = estimate()
    assert calls == [(5, 400), (5, 10)]
    assert float(apart) == pytest.approx(float(value), rel=1e-5)
    for x, expected in zip(gradients_apart, gradients, strict=True):
        np.testing.assert_allclose(x, expected, rtol=1e-6)


class _Wider(tfd.Normal):
    """A normal by its class alone."""

    def _log_prob(self, x):
        return super()._log_prob(x / 2) - math.log(2)


@pytest.mark.parametrize("large", [10**6, 15])
def test_tensors_under_different_normals_are_estimated_together(
    monkeypatch, large
):
    samples = [
        bbh.randomness.normal(bbh.randomness.key(i), 5, shape)
        for i, shape in enumerate(((3,), (2, 3), (7,), (20,), (8,)))
    ]
    prior = [tfd.Normal(0.5, 2.0), tfd.Normal(0.0, 0.1), tfd.Laplace(0.0, 1.0)]
    prior += [tfd.Normal(0.0, 3.0), _Wider(0.0, 1.0)]

    def each(index):
        with tf.GradientTape() as tape:
            tape.watch(samples[index])
            value = NearestNeighbourEntropy(3)(samples[index], prior[index])
        return float(value), tape.gradient(value, samples[index])

    values, expected = zip(*map(each, range(5)))
    calls = []
    own = nearest_neighbour_entropy._estimate
    monkeypatch.setattr(nearest_neighbour_entropy, "_LARGE", large)
    monkeypatch.setattr(
        nearest_neighbour_entropy,
        "_estimate",
        lambda points, *rest: (
            calls.append(points.shape[1]) or own(points, *rest)
        ),
    )
    with tf.GradientTape() as tape:
        tape.watch(samples)
        value = NearestNeighbourEntropy(3)(samples, prior)
    # The tensor that is most of all stays as it is.
    assert sorted(calls) == ([7, 8, 29] if large > 20 else [7, 8, 9, 20])
    assert float(value) == pytest.approx(sum(values), rel=1e-5)
    for x, wanted in zip(tape.gradient(value, samples), expected, strict=True):
        np.testing.assert_allclose(x, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("std", [0.25, 1.0, 3.0])
@pytest.mark.parametrize("loc", [0.0, 1.0])
def test_is_the_kl_of_two_normals(std, loc):
    n, num_weights = 40, 4000
    generator = np.random.default_rng(1)
    q = loc + std * generator.standard_normal((n, num_weights))
    q = q.astype(np.float32)
    truth = -math.log(std) + (std**2 + loc**2 - 1) / 2
    prior = tfd.Normal(0.0, 1.0)
    each = np.array(
        [
            float(NearestNeighbourEntropy(1)(part, prior)) / part.shape[1]
            for part in np.split(q, 40, axis=1)
        ]
    )
    error = each.std(ddof=1) / math.sqrt(len(each))
    # With 40 samples a bias of some hundredths is left.
    assert abs(each.mean() - truth) < 4 * error + 0.03


@pytest.mark.parametrize(("n", "k"), [(4, 1), (4, 3), (5, 3), (10, 3)])
def test_gradient_is_that_of_finite_differences(n, k):
    generator = np.random.default_rng(2)
    q = generator.normal(size=(n, 3))
    estimate = NearestNeighbourEntropy(num_neighbours=k)

    def value(x):
        return reference(x, standard_normal, k)

    points = tf.constant(q, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(points)
        found = estimate(points, tfd.Normal(0.0, 1.0))
    gradient = tape.gradient(found, points)
    expected = np.zeros_like(q)
    for index in np.ndindex(*q.shape):
        step = np.zeros_like(q)
        step[index] = 1e-6
        expected[index] = (value(q + step) - value(q - step)) / 2e-6
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-4)


def second_moments(num_neighbours, *counts):
    """Mean squares of the gradient, the median over groups of weights."""
    points = bbh.randomness.normal(bbh.randomness.key(4), 5, (10**6,))
    with tf.GradientTape() as tape:
        tape.watch(points)
        value = NearestNeighbourEntropy(num_neighbours)(
            points, tfd.Normal(0.0, 1.0)
        )
    squares = np.square(tape.gradient(value, points)).mean(axis=0)
    return [
        np.median(squares.reshape(-1, count).mean(axis=1)) for count in counts
    ]


def test_the_third_neighbours_gradient_has_a_variance():
    few, many = second_moments(3, 10**5, 10**6)
    assert few == pytest.approx(many, rel=0.1)
    # The first neighbour's mean square grows with the number of weights.
    few, many = second_moments(1, 10**3, 10**6)
    assert many > 20 * few


def test_an_eager_call_and_a_graph_agree():
    q = [np.full((5, 2), 0.3, np.float32) + np.arange(5)[:, None] / 7]
    estimate = NearestNeighbourEntropy(num_neighbours=3)

    def value_and_gradient(q):
        with tf.GradientTape() as tape:
            tape.watch(q)
            value = estimate(q, [tfd.Laplace(0.0, 1.0)])
        return value, tape.gradient(value, q)[0]

    q = [tf.constant(x, tf.float32) for x in q]
    eager = value_and_gradient(q)
    for jit in (False, True):
        compiled = tf.function(value_and_gradient, jit_compile=jit)(q)
        for one, two in zip(eager, compiled):
            np.testing.assert_allclose(one, two, rtol=1e-5)


def test_is_least_where_posterior_and_prior_agree():
    # KernelKL is not: with five samples it prefers a wider posterior.
    generator = np.random.default_rng(3)
    noise = generator.standard_normal((5, 200_000)).astype(np.float32)
    prior = tfd.Normal(0.0, 1.0)
    values = {
        std: float(NearestNeighbourEntropy(1)(std * noise, prior))
        for std in (0.8, 0.9, 1.0, 1.1, 1.25)
    }
    assert min(values, key=values.get) == 1.0


@pytest.mark.parametrize(("k", "in_the_docs"), [(1, 3.7), (3, 1.0)])
def test_narrow_modes_far_apart_are_taken_for_one_wide_one(k, in_the_docs):
    num_trials, std = 40_000, 0.01
    generator = np.random.default_rng(0)
    samples = generator.normal(
        generator.choice([-1, 1], (5, num_trials)), std
    ).astype(np.float32)
    mean = float(
        NearestNeighbourEntropy(k)(samples, tfd.Normal(0.0, 1.0)) / num_trials
    )
    # A trial's estimate has a standard deviation of at most 2 nats.
    assert mean == pytest.approx(in_the_docs, abs=0.05 + 3 * 2 / 200)
    # The modes do not overlap: each has half of the mass.
    entropy = math.log(2) + 0.5 * math.log(2 * math.pi * math.e * std**2)
    truth = 0.5 * (math.log(2 * math.pi) + 1 + std**2) - entropy
    assert truth == pytest.approx(3.9, abs=0.05)


@pytest.mark.parametrize("k", [1, 3])
def test_equal_samples_stay_finite(k):
    q = np.ones((5, 3), np.float32)
    value = NearestNeighbourEntropy(k)(q, tfd.Normal(0.0, 1.0))
    assert np.isfinite(float(value)) and float(value) > 100


def test_trains_a_posterior_without_a_density(tmp_path):
    x, y = small_models.data(8)
    model = small_models.model(
        divergence=NearestNeighbourEntropy(3), num_samples=5
    )
    logs = model.fit(x, y, epochs=2, verbose=0).history
    assert np.isfinite(logs["kl"]).all()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again.divergence, NearestNeighbourEntropy)
    assert again.divergence.num_neighbours == 3


class LearnedWidth(bbh.priors.Prior, keras.layers.Layer):
    """A normal whose width is fitted with the posterior."""

    def build(self, specs):
        self.width = self.add_weight(name="width", initializer="ones")

    def distributions(self, specs):
        return [tfd.Normal(0.0, tf.abs(self.width))] * len(specs)

    def sample(self, num_samples, specs, key):
        return [tf.zeros((num_samples, *spec.shape)) for spec in specs]


def test_a_prior_that_trains_gets_its_gradient():
    layer = bbh.layers.Bayesian(
        keras.layers.Dense(3), bbh.posteriors.MeanField(), LearnedWidth()
    )
    layer.build((None, 4))
    parameters = [x.value for x in layer.posterior.trainable_variables]
    width = layer.prior.width.value

    def estimate(pair_of):
        with tf.GradientTape() as tape:
            draw = layer.draw(5, bbh.randomness.key(0))
            kl = NearestNeighbourEntropy(3).estimate([pair_of(draw)], 5, None)
        return draw.samples, kl, tape.gradient(kl, [width, *parameters])

    samples, kl, (of_width, *found) = estimate(layer.pair)
    # -log p(w) is log(width) + (w / width)^2 / 2, of each weight.
    squares = sum(np.sum(np.square(x)) for x in samples)
    expected = layer.draw_size() - squares / 5
    assert float(of_width) == pytest.approx(expected, rel=1e-4)
    # The rest is as with a prior that stays as it is.
    still = bbh.priors.Normal()
    _, other, (none, *gradients) = estimate(
        lambda draw: layer.pair(draw)._replace(prior=still)
    )
    assert none is None
    assert float(kl) == pytest.approx(float(other), rel=1e-5)
    for new, old in zip(found, gradients, strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-4, atol=1e-5)
    # Of one outside of any layer, too.
    scale = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        prior = [tfd.Normal(0.0, scale)] * len(samples)
        kl = NearestNeighbourEntropy(3)(samples, prior)
    assert float(tape.gradient(kl, scale)) == pytest.approx(expected, rel=1e-4)


def test_no_discriminator_trains_a_prior():
    layer = bbh.layers.Bayesian(
        keras.layers.Dense(3), small_models.implicit(), LearnedWidth()
    )
    network = keras.Sequential([keras.Input((4,)), layer])
    divergence = bbh.divergences.AdversarialKL()
    with pytest.raises(
        ValueError, match="AdversarialKL trains no prior: expected one that"
    ):
        small_models.model(network, divergence=divergence)
    layer.prior.trainable = False
    small_models.model(network, divergence=divergence)


def test_what_is_no_number_shows():
    for n in (5, 12):
        q = np.arange(3.0 * n).reshape(n, 3).astype(np.float32)
        q[2, 1] = np.nan
        value = NearestNeighbourEntropy(3)(q, tfd.Normal(0.0, 1.0))
        assert math.isnan(float(value))


def test_a_prior_without_a_density_is_refused_by_name():
    class Samples(bbh.priors.Prior):
        def sample(self, num_samples, specs, key):
            return [tf.zeros((num_samples, *x.shape)) for x in specs]

    layer = bbh.layers.Bayesian(
        keras.layers.Dense(3), small_models.implicit(), Samples()
    )
    network = keras.Sequential([keras.Input((4,)), layer])
    with pytest.raises(
        ValueError, match="NearestNeighbourEntropy needs a prior with a density"
    ):
        small_models.model(network, divergence=NearestNeighbourEntropy(1))
    # It has a density, of whole kernels.
    layer = bbh.layers.Bayesian(
        keras.layers.Conv2D(3, 2),
        small_models.implicit(),
        bbh.priors.KernelNormal(2),
    )
    layer.build((None, 4, 4, 1))
    with pytest.raises(
        ValueError, match="KernelNormal, which has no density of single wei"
    ):
        NearestNeighbourEntropy().check([layer.pair()])


@pytest.mark.parametrize(
    ("posterior", "prior", "message"),
    [
        ([], [], "at least one; got 0 and 0"),
        ([np.zeros((5, 2))], [], "got 0 and 1"),
        ([np.zeros((1, 2))], None, r"at least 2; got \[1\]"),
        ([np.zeros((2, 2)), np.zeros((3, 2))], None, r"got \[2, 3\]"),
        ([np.zeros(())], None, "known shape"),
        ([np.zeros((0, 2))], None, "at least 2"),
        ([np.zeros((5, 2))], [tfd.Normal(np.zeros((3, 2)), 1.0)], "broadcasts"),
        (
            [np.zeros((5, 2))],
            [tfd.MultivariateNormalDiag(np.zeros(2))],
            "event shape",
        ),
    ],
)
def test_what_does_not_fit_is_refused(posterior, prior, message):
    if prior is None:
        prior = [tfd.Normal(0.0, 1.0)] * len(posterior)
    with pytest.raises(ValueError, match=message):
        NearestNeighbourEntropy(1)(posterior, prior)


def test_the_default_is_a_form_whose_gradient_has_a_finite_variance():
    assert NearestNeighbourEntropy().get_config() == {"num_neighbours": 3}


def test_too_few_samples_for_k_neighbours_are_refused():
    with pytest.raises(ValueError, match=r"at least 4; got \[3\]"):
        NearestNeighbourEntropy(3)(np.zeros((3, 2)), tfd.Normal(0.0, 1.0))
    with pytest.raises(ValueError, match="num_neighbours to be a positive"):
        NearestNeighbourEntropy(1.5)

"""Draws for several layers at once: positions, priors, pairings."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import layer_draw
from bbh_tf.layers import drawing
from bbh_tf.layers import total_kl

KEY = bbh.randomness.key(1)


class _Constant(bbh.priors.Prior):
    """A prior that is one value everywhere."""

    def __init__(self, value):
        self.value = value

    def sample(self, num_samples, specs, key):
        return [tf.fill((num_samples, *x.shape), self.value) for x in specs]

    def get_config(self):
        # What JSON does not know is a configuration all the same.
        return {"value": np.float32(self.value)}


class _Noise(bbh.priors.Prior):
    """The standard normal, for each object by itself."""

    def sample(self, num_samples, specs, key):
        return bbh.priors.Normal().sample(num_samples, specs, key)


class _Lists(bbh.divergences.SampleDivergence):
    """Keeps what it is called with."""

    def __call__(self, posterior, prior):
        self.posterior, self.prior = posterior, prior
        return 0.0


def _layers(*priors, posterior=None):
    layers = [
        bbh.layers.Bayesian(
            keras.layers.Dense(2 + index),
            posterior or bbh.posteriors.MeanField(),
            prior=prior,
        )
        for index, prior in enumerate(priors)
    ]
    for layer in layers:
        layer.build((None, 3))
    return layers


def test_each_layer_has_its_prior():
    layers = _layers(_Constant(1.0), _Constant(2.0), _Constant(1.0))
    draws = drawing.sample(layers, 2, KEY)
    estimate = _Lists()
    total_kl.divergence(layers, draws, estimate, 4, KEY)
    assert [float(x[0, 0, 0]) for x in estimate.prior[::2]] == [1, 2, 1]
    for prior, posterior in zip(estimate.prior, estimate.posterior):
        assert prior.shape == (4, *posterior.shape[1:])


# One object, equal ones, and others: no two weights may share a number.
@pytest.mark.parametrize(
    "priors",
    [
        (None, None),
        (bbh.priors.Normal(), bbh.priors.Normal()),
        (_Noise(), _Noise()),
        (None, _Noise()),
    ],
    ids=["none", "equal", "different", "mixed"],
)
def test_priors_are_drawn_independently(priors):
    layers = _layers(*priors)
    draws = drawing.sample(layers, 2, KEY)
    estimate = _Lists()
    total_kl.divergence(layers, draws, estimate, 2, KEY)
    flat = np.concatenate([np.ravel(x) for x in estimate.prior])
    assert len(np.unique(flat)) == len(flat)


def test_analytic_kl_adds_up_over_layers_of_different_priors():
    layers = _layers(bbh.priors.Normal(0.0, 1.0), bbh.priors.Normal(1.0, 2.0))
    draws = drawing.sample(layers, 1, KEY)
    got = total_kl.divergence(
        layers, draws, bbh.divergences.AnalyticKL(), 1, KEY
    )
    expected = 0.0
    for layer, (loc, scale) in zip(layers, [(0.0, 1.0), (1.0, 2.0)]):
        for q in layer.posterior.distributions():
            mean, deviation = np.asarray(q.loc), np.asarray(q.scale)
            expected += np.sum(
                np.log(scale / deviation)
                + (deviation**2 + (mean - loc) ** 2) / (2 * scale**2)
                - 0.5
            )
    assert float(got) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("compiled", [False, True])
def test_draws_set_apart_have_the_gradients_of_slices(count, compiled):
    start = tf.random.stateless_normal((3, 4, 2), (0, 1))
    other = tf.random.stateless_normal((3, 2), (0, 2))

    def loss(x, y, set_apart):
        # Of the first layer the samples are the weights, of the second not,
        # and the third has noise of its own for each example.
        draws = [
            layer_draw.LayerDraw([x], None, [x]),
            layer_draw.LayerDraw([y], None, [2.0 * y]),
            layer_draw.LayerDraw([], None, None),
        ]
        parts = [
            [[draw.weights[0][i : i + 1]] for draw in draws[:2]] + [None]
            for i in range(count)
        ]
        if set_apart:
            draws, parts = drawing.apart(draws, count)
        assert [part[2] for part in parts] == [None] * count
        total = sum(tf.reduce_sum(draw.samples[0] ** 3) for draw in draws[:2])
        for index, part in enumerate(parts):
            assert part[0][0].shape == (1, 4, 2)
            for (tensor,) in part[:2]:
                total += (index + 2.0) * tf.reduce_sum(tf.sin(tensor))
        return total

    @tf.function(jit_compile=compiled, autograph=False)
    def gradients(set_apart):
        with tf.GradientTape() as tape:
            tape.watch([start, other])
            value = loss(start, other, set_apart)
        return value, *tape.gradient(value, [start, other])

    for found, expected in zip(gradients(True), gradients(False)):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("shared", [False, True])
def test_position_tells_layers_apart_unless_noise_is_shared(shared):
    posterior = bbh.posteriors.Implicit(
        bbh.hypernetworks.MLP(units=(), kernel_initializer="ones"),
        shared_noise=shared,
    )
    layers = _layers(None, None, posterior=posterior)
    draws = drawing.sample(layers, 1, KEY)
    # With such hypernetworks each weight is its noise plus one.
    noise = {float(tensor[0, 0]) for x in draws for tensor in x.samples[1:]}
    assert len(noise) == (1 if shared else 2)


def test_first_says_where_draws_start():
    layers = _layers(None)
    five = drawing.sample(layers, 5, KEY)[0].weights[0]
    last = drawing.sample(layers, 2, KEY, first=3)[0].weights[0]
    np.testing.assert_array_equal(five[3:], last)


@pytest.mark.parametrize(
    "estimate, expected",
    [
        (bbh.divergences.KernelKL(), 5),
        (bbh.divergences.AnalyticKL(), 0),
        (bbh.divergences.MonteCarloKL(), 5),
    ],
)
def test_number_of_draws(estimate, expected):
    assert estimate.num_draws(5) == expected


@pytest.mark.parametrize(
    "num_neighbours, given, expected",
    [(1, None, 5), (1, 1, 1), (3, None, 20), (3, 3, 3)],
)
def test_number_of_prior_samples(num_neighbours, given, expected):
    estimate = bbh.divergences.KernelKL(num_neighbours=num_neighbours)
    assert estimate.num_prior_draws(5, given) == expected
    entropy = bbh.divergences.NearestNeighbourEntropy(num_neighbours)
    assert entropy.num_prior_draws(5) == 5


def test_a_prior_that_cannot_be_saved_can_be_trained_with():
    import tensorflow_probability as tfp

    prior = tfp.distributions.TransformedDistribution(
        tfp.distributions.Normal(0.0, 1.0), tfp.bijectors.Shift(1.0)
    )
    network = keras.Sequential(
        [
            keras.Input((3,)),
            bbh.layers.Bayesian(
                keras.layers.Dense(2), bbh.posteriors.MeanField(), prior=prior
            ),
        ]
    )
    model = bbh.models.BayesianModel(network, 10, seed=0)
    model.compile("sgd")
    logs = model.train_on_batch(np.ones((4, 3)), np.zeros(4), return_dict=True)
    assert np.isfinite(logs["kl"])

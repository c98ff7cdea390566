"""Posteriors by flows: density, scales, start, and what the KL makes of it."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import bbh_tf as bbh
from bbh_tf.weights import WeightSpec
from tests.flows import densities

KEY = bbh.randomness.key(7)
SPECS = [WeightSpec("kernel", (3, 4)), WeightSpec("bias", (4,), "bias")]
CONVOLUTION = [WeightSpec("kernel", (2, 2, 3, 5))]


def stack(kind="RealNVP", num_layers=3, log_scale=-0.5):
    if kind == "IAF":
        return bbh.flows.inverse_autoregressive(
            num_layers, (9,), log_scale, seed=1234
        )
    return bbh.flows.real_nvp(
        num_layers, (9,), initial_log_scale=log_scale, seed=1
    )


def built(posterior, specs, scale=0.2):
    keras.utils.set_random_seed(1)
    posterior.build(specs)
    densities.shake(posterior.flow, scale)
    return posterior


@pytest.mark.parametrize("kind", ["RealNVP", "IAF"])
@pytest.mark.parametrize("of", ["Flow", "WeightNormFlow"])
def test_log_prob_is_that_of_the_exact_jacobian(of, kind):
    posterior = built(getattr(bbh.posteriors, of)(stack(kind)), SPECS)
    samples, log_prob = posterior.sample(4, KEY, position=2)
    dim = sum(spec.size for spec in posterior.random_specs(SPECS))
    z = bbh.randomness.normal(bbh.randomness.fold(KEY, 2), 4, (dim,))
    with tf.GradientTape() as tape:
        tape.watch(z)
        mapped, _ = posterior.flow(z)
    _, log_det = np.linalg.slogdet(tape.batch_jacobian(mapped, z))
    expected = -0.5 * np.sum(np.square(z) + math.log(2 * math.pi), 1) - log_det
    np.testing.assert_allclose(log_prob, expected, rtol=1e-4, atol=1e-3)
    assert [x.shape[1:] for x in samples] == [
        spec.shape for spec in posterior.random_specs(SPECS)
    ]
    if kind == "RealNVP":
        back = posterior.log_prob(samples)
        np.testing.assert_allclose(back, log_prob, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("of", ["Flow", "WeightNormFlow"])
def test_draws_have_the_density_that_is_claimed(of):
    posterior = built(
        getattr(bbh.posteriors, of)(stack()), [WeightSpec("kernel", (1, 2))]
    )
    (x,), log_prob = posterior.sample(200_000, KEY)
    x = tf.reshape(x, (-1, 2))
    corner, size = densities.dense_rectangle(x, log_prob)
    area, error = densities.area_by_draws(x, log_prob, corner, size)
    assert area == pytest.approx(np.prod(size), abs=3 * error)
    assert error < 0.05 * area


def test_draws_of_weights_start_at_a_layers_own_initial_values():
    posterior = bbh.posteriors.Flow(stack(log_scale=-6.25))
    posterior.build([WeightSpec("kernel", (100, 50))])
    weights = np.array(posterior.draw(2, KEY).weights[0])
    assert weights.std() == pytest.approx(0.1, rel=0.05)
    assert (weights[0] - weights[1]).std() < 0.01


def test_the_scales_of_a_convolution_are_those_of_its_filters():
    posterior = built(bbh.posteriors.WeightNormFlow(stack()), CONVOLUTION)
    draw = posterior.draw(3, KEY)
    assert [x.shape for x in draw.samples] == [(3, 5)]
    assert [x.shape for x in draw.weights] == [(3, 2, 2, 3, 5)]
    norms = np.sqrt(np.sum(np.square(draw.weights[0]), axis=(1, 2, 3)))
    np.testing.assert_allclose(norms, np.abs(draw.samples[0]), rtol=1e-5)
    assert np.ptp(draw.samples[0]) > 0.1
    # A filter that is all 0 stays so, and is no number divided by 0.
    kernel = np.ones((2, 2, 3, 5))
    kernel[..., 2] = 0.0
    posterior.start_at([kernel], 0.1)
    drawn = np.array(posterior.draw(3, KEY).weights[0])
    np.testing.assert_array_equal(
        drawn != 0, np.broadcast_to(kernel, drawn.shape)
    )
    # Biases are not replaced.
    assert [posterior.replaces(spec) for spec in SPECS] == [True, False]


def test_scales_start_around_what_is_asked():
    one, three = (
        built(bbh.posteriors.WeightNormFlow(stack(), scale), CONVOLUTION)
        for scale in (1.0, 3.0)
    )
    for moved, x in zip(three.draw(3, KEY).samples, one.draw(3, KEY).samples):
        np.testing.assert_allclose(moved - x, np.full((3, 5), 2.0), rtol=1e-5)


def test_scales_of_two_output_axes():
    spec = WeightSpec("kernel", (3, 4, 2), output_axes=(1, 2))
    posterior = built(bbh.posteriors.WeightNormFlow(stack()), [spec])
    draw = posterior.draw(3, KEY)
    assert draw.samples[0].shape == (3, 4, 2)
    norms = np.sqrt(np.sum(np.square(draw.weights[0]), axis=1))
    np.testing.assert_allclose(norms, np.abs(draw.samples[0]), rtol=1e-5)


def _network():
    keras.utils.set_random_seed(2)
    return keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            keras.layers.Conv2D(3, 3, activation="relu", name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(4, name="logits"),
        ]
    )


X = np.random.default_rng(0).normal(size=(8, 6, 6, 2)).astype("float32")
Y = np.arange(8) % 4


@pytest.mark.parametrize("scope", ["layer", "network"])
@pytest.mark.parametrize("of", ["Flow", "WeightNormFlow"])
def test_pretrained_keeps_the_function(of, scope):
    network = _network()
    network.get_layer("conv").bias.assign([0.3, -0.2, 0.1])
    random = bbh.models.bayesify(
        network,
        getattr(bbh.posteriors, of)(),
        scope=scope,
        start="pretrained",
        relative_std=1e-3,
    )
    model = bbh.models.BayesianModel(
        random, 8, divergence=bbh.divergences.MonteCarloKL(), seed=1
    )
    expected = network.predict(X, verbose=0)
    draws = model.predict_samples(X, 3)
    for draw in draws:
        np.testing.assert_allclose(draw, expected, atol=0.02)
    assert np.abs(draws[0] - draws[1]).max() > 1e-5
    if of == "WeightNormFlow":
        for layer in model.bayesian_layers:
            draw = layer.draw(200, KEY)
            for g, v in zip(draw.samples, layer.replaced_variables):
                norm = np.sqrt(
                    np.sum(np.square(v), axis=(0, 1, 2)[: v.ndim - 1])
                )
                np.testing.assert_allclose(np.mean(g, 0), norm, rtol=1e-3)
                size = np.sqrt(np.mean(norm**2))
                np.testing.assert_allclose(np.std(g, 0), 1e-3 * size, rtol=0.3)


@pytest.mark.parametrize(
    "prior",
    [tfp.distributions.Normal(0.0, 0.5), tfp.distributions.Laplace(0.0, 1.0)],
    ids=["normal", "Laplace"],
)
def test_one_flow_for_the_network_trains_saves_and_exports(prior, tmp_path):
    random = bbh.models.bayesify(
        _network(),
        bbh.posteriors.WeightNormFlow(stack("IAF", 2, -2.0)),
        prior=prior,
        scope="network",
    )
    model = bbh.models.BayesianModel(
        random,
        8,
        divergence=bbh.divergences.MonteCarloKL(),
        num_samples=1,
        num_prediction_samples=3,
        seed=1,
    )
    model.compile(keras.optimizers.Adam(0.01))
    # One flow over the 3 + 4 scales of both layers.
    (layer,) = model.bayesian_layers
    assert sum(x.shape[1] for x in layer.draw(1, KEY).samples) == 7
    before = [np.array(v) for v in model.trainable_variables]
    history = model.fit(X, Y, epochs=2, verbose=0).history
    assert np.isfinite(history["kl"]).all()
    for old, new in zip(before, model.trainable_variables):
        assert (old != np.array(new)).any()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    samples = model.predict_samples(X)
    np.testing.assert_array_equal(again.predict_samples(X), samples)
    np.testing.assert_allclose(
        model.draw(index=1).predict(X, verbose=0),
        samples[1],
        rtol=1e-4,
        atol=1e-5,
    )
    moved = bbh.attacks.fgsm(model.networks(2), X, Y, 0.1, clip_range=None)
    assert np.abs(moved - X).max() == pytest.approx(0.1, rel=1e-3)
    assert model.predict_uncertainty(X)


@pytest.mark.parametrize(
    ("of", "kind"), [("Flow", "IAF"), ("WeightNormFlow", "RealNVP")]
)
def test_xla_trains_as_it_is_trained_without(of, kind):
    values = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(1)
        posterior = getattr(bbh.posteriors, of)(stack(kind, 1, -2.0))
        model = bbh.models.BayesianModel(
            bbh.models.bayesify(_network(), posterior),
            8,
            divergence=bbh.divergences.MonteCarloKL(),
            seed=1,
        )
        model.compile(keras.optimizers.SGD(0.1), jit_compile=jit_compile)
        model.train_on_batch(X, Y)
        values.append(model.get_weights())
    for one, other in zip(*values, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_mixed_precision_leaves_flows_in_float32():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        random = bbh.models.bayesify(
            _network(),
            bbh.posteriors.WeightNormFlow(
                bbh.flows.Chain(
                    [
                        bbh.flows.ElementwiseAffine(),
                        bbh.flows.Coupling(
                            keras.Sequential([keras.layers.Dense(4)])
                        ),
                    ]
                )
            ),
            scope="network",
        )
        model = bbh.models.BayesianModel(
            random, 8, divergence=bbh.divergences.MonteCarloKL(), seed=1
        )
        model.compile("adam")
        assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"]).all()
    finally:
        keras.config.set_dtype_policy("float32")
    (layer,) = model.bayesian_layers
    assert {v.dtype for v in layer.posterior.variables} == {"float32"}
    assert layer.draw(1, KEY).log_prob.dtype == tf.float32


def test_the_kl_of_no_coupling_is_the_closed_form():
    posterior = built(
        bbh.posteriors.WeightNormFlow(stack(num_layers=0)), SPECS[:1], 0.4
    )
    prior = bbh.priors.Normal(0.0, 0.7)
    specs = posterior.random_specs(SPECS[:1])
    (affine,) = posterior.flow.flows
    mean = 1.0 + np.array(affine.shift, np.float64)
    std = np.exp(np.array(affine.log_scale, np.float64))
    expected = np.sum(
        np.log(0.7 / std) + (std**2 + mean**2) / (2 * 0.7**2) - 0.5
    )
    draw = posterior.draw(20_000, KEY)
    pair = bbh.divergences.Pair("layer", posterior, prior, specs, draw)
    estimate = bbh.divergences.MonteCarloKL().estimate([pair], 1, KEY)
    each = np.array(draw.log_prob) - np.array(
        prior.log_prob(draw.samples, specs, KEY)
    )
    error = each.std() / np.sqrt(len(each))
    assert float(estimate) == pytest.approx(expected, abs=3 * error)
    assert error < 0.02 * expected


def _linear_gaussian(count=12, dim=3, noise=0.5):
    """Returns data of a linear model, and their log-evidence."""
    generator = np.random.default_rng(4)
    x = generator.normal(size=(count, dim))
    # Inputs that depend on each other make a posterior that does.
    x[:, 1] = x[:, 0] + 0.3 * x[:, 1]
    y = x @ generator.normal(size=dim) + noise * generator.normal(size=count)
    covariance = x @ x.T + noise**2 * np.eye(count)
    evidence = -0.5 * (
        y @ np.linalg.solve(covariance, y)
        + np.linalg.slogdet(2 * np.pi * covariance)[1]
    )
    return x.astype("float32"), y.astype("float32"), evidence


def _bound(num_layers, noise=0.5):
    """Trains q over the weights; returns the bound, its error, the evidence."""
    x, y, evidence = _linear_gaussian(noise=noise)
    keras.utils.set_random_seed(3)
    posterior = bbh.posteriors.Flow(stack(num_layers=num_layers))
    posterior.build([WeightSpec("kernel", (3, 1))])
    likelihood = tfp.distributions.Normal(0.0, noise)
    prior = tfp.distributions.Normal(0.0, 1.0)

    def bounds(num_samples, key):
        (w,), log_prob = posterior.sample(num_samples, key)
        residuals = y - tf.einsum("ni,sio->sn", x, w)
        return (
            tf.reduce_sum(likelihood.log_prob(residuals), axis=1)
            + tf.reduce_sum(prior.log_prob(w), axis=(1, 2))
            - log_prob
        )

    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(posterior.trainable_variables)

    # Not under XLA, which takes minutes to compile four couplings' gradient.
    @tf.function(autograph=False)
    def step(index):
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(bounds(32, bbh.randomness.key(index)))
        gradients = tape.gradient(loss, posterior.trainable_variables)
        optimizer.apply(gradients, posterior.trainable_variables)

    for index in range(800):
        if index == 500:
            optimizer.learning_rate.assign(0.003)
        step(tf.constant(index))
    values = bounds(20_000, bbh.randomness.key(10**6))
    error = np.std(values) / np.sqrt(20_000)
    return float(np.mean(values)), error, evidence


def test_the_bound_comes_to_the_evidence_and_not_above():
    bound, error, evidence = _bound(4)
    assert bound < evidence + 3 * error
    assert bound > evidence - 0.01 * abs(evidence)
    # Without couplings no dependence, and a gap.
    factorised, error, _ = _bound(0)
    assert factorised < evidence - 0.02 * abs(evidence)


def test_refusals():
    with pytest.raises(ValueError, match="Expected a flow, such as"):
        bbh.posteriors.Flow(3)
    with pytest.raises(ValueError, match="a flow without masks; got Masked"):
        bbh.posteriors.WeightNormFlow(bbh.flows.MaskedRealNVP())
    for scale in (np.nan, None, [1.0, 2.0]):
        with pytest.raises(ValueError, match="a finite initial_scale; got"):
            bbh.posteriors.WeightNormFlow(initial_scale=scale)
    with pytest.raises(MemoryError, match="WeightNormFlow of kernel"):
        bbh.posteriors.WeightNormFlow().build(
            [WeightSpec("kernel", (1, 10**9))]
        )
    with pytest.raises(ValueError, match="no inverse in one pass"):
        posterior = built(bbh.posteriors.Flow(stack("IAF")), SPECS)
        posterior.log_prob(posterior.sample(1, KEY)[0])
    with pytest.raises(ValueError, match="over weights; got WeightNormFlow"):
        bbh.posteriors.AsPrior(
            built(bbh.posteriors.WeightNormFlow(stack()), SPECS[:1])
        )

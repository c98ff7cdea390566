"""The normal prior whose scale follows the posterior."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import bbh_tf as bbh
from bbh_tf import randomness
from bbh_tf.layers import drawing
from bbh_tf.priors import NormalLearnedScale
from bbh_tf.weights import WeightSpec
from tests.models import small_models

KL = bbh.divergences
SPECS = [WeightSpec("kernel", (200, 50)), WeightSpec("bias", (3,), "bias")]


class _Implicit(bbh.posteriors.Posterior):
    """Has draws alone."""


def _model(posterior=None, prior=None, **settings):
    keras.utils.set_random_seed(0)
    random = bbh.models.bayesify(
        small_models.plain(),
        posterior or small_models.implicit(),
        prior=prior or NormalLearnedScale(),
    )
    # One that the posterior allows.
    divergence = (
        KL.MonteCarloKL() if posterior else KL.NearestNeighbourEntropy(1)
    )
    return small_models.model(random, **{"divergence": divergence, **settings})


def _step(model, **kwargs):
    x, y = small_models.data(8)
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0, **kwargs)
    return model


def _variances(model):
    return [np.array(x.prior._variance) for x in model.bayesian_layers]


def test_it_finds_the_scale_of_what_is_drawn():
    prior = NormalLearnedScale().for_layer(SPECS)
    drawn = [
        0.3 * randomness.normal(randomness.key(i), 4, spec.shape)
        for i, spec in enumerate(SPECS)
    ]
    prior.fit_step(_Implicit(), drawn, SPECS)
    kernel, bias = prior.distributions(SPECS)
    # A sample variance's standard error.
    error = 0.09 * np.sqrt(2 / 40_000)
    assert abs(float(kernel.variance()) - 0.09) < 4 * error + 2 / 5000
    # Three weights leave the prior of the variance its say.
    half = np.sum(np.square(drawn[1])) / 4 / 2
    assert float(bias.variance()) == pytest.approx((1 + half) / 2.5, rel=1e-5)


def test_no_other_scale_has_a_lesser_kl():
    posterior = bbh.posteriors.MeanField(initial_log_variance=-1.0)
    posterior.build(SPECS)
    prior = NormalLearnedScale(1e-6, 1e-6).for_layer(SPECS)
    prior.fit_step(posterior, [], SPECS)

    def kl(factor):
        return KL.AnalyticKL()(
            posterior.distributions(),
            [
                tfp.distributions.Normal(0.0, factor * p.scale)
                for p in prior.distributions(SPECS)
            ],
        )

    assert kl(1.0) < min(kl(0.99), kl(1.01))


def test_samples_have_the_scales():
    prior = NormalLearnedScale(rate=4.0).for_layer(SPECS)
    kernel, bias = prior.sample(3, SPECS, randomness.key(1))
    assert kernel.shape == (3, 200, 50) and bias.shape == (3, 3)
    assert abs(np.std(kernel) - 2) < 4 * 2 / np.sqrt(2 * 30_000)
    prior._variance.assign([0.01, 4.0])
    narrow, same = prior.sample(3, SPECS, randomness.key(1))
    np.testing.assert_allclose(narrow, kernel / 20, rtol=1e-5)
    np.testing.assert_array_equal(same, bias)


@pytest.mark.parametrize("posterior", [None, bbh.posteriors.MeanField(-2.0)])
def test_a_step_takes_the_formula(posterior):
    model = _model(posterior, num_samples=3)
    draws = drawing.sample(model.random_layers, 3, model.step_key())
    expected = []
    for layer, draw in zip(model.bayesian_layers, draws):
        found = layer.posterior.distributions()
        if found is None:
            halves = [np.sum(np.square(x)) / 6 for x in draw.samples]
        else:
            halves = [np.sum(q.variance() + q.mean() ** 2) / 2 for q in found]
        sizes = [np.prod(x.shape[1:]) for x in draw.samples]
        expected.append(
            [(1 + h) / (1 + size / 2) for h, size in zip(halves, sizes)]
        )
    _step(model)
    for found, wanted in zip(_variances(model), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


DIVERGENCES = {
    "kernel": (None, KL.KernelKL()),
    "entropy": (None, KL.NearestNeighbourEntropy(1)),
    "adversarial": (None, KL.AdversarialKL(units=(4,), num_steps=1)),
    "analytic": (bbh.posteriors.MeanField(-2.0), KL.AnalyticKL()),
    "Monte Carlo": (bbh.posteriors.MeanField(-2.0), KL.MonteCarloKL()),
}


@pytest.mark.parametrize("kind", DIVERGENCES)
def test_every_divergence_trains_with_it(kind):
    posterior, divergence = DIVERGENCES[kind]
    model = _model(posterior, divergence=divergence)
    assert all((v == 1).all() for v in _variances(model))
    x, y = small_models.data(8)
    logs = model.fit(x, y, epochs=2, verbose=0).history
    assert np.isfinite(logs["loss"]).all()
    assert all((v != 1).all() for v in _variances(model))


@pytest.mark.parametrize("how", [{"run_eagerly": True}, {"jit_compile": True}])
def test_it_does_not_depend_on_how_the_step_is_compiled(how):
    found = []
    for settings in ({}, how):
        model = _model(bbh.posteriors.MeanField(-2.0))
        model.compile(keras.optimizers.SGD(0.01), **settings)
        found.append(_step(model, epochs=3))
    for ours, theirs in zip(*(m.variables for m in found), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_training_goes_on_as_if_never_stopped(tmp_path):
    model = _step(_model())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for ours, theirs in zip(_variances(model), _variances(loaded)):
        assert (ours != 1).all()
        np.testing.assert_array_equal(ours, theirs)
    for one in (model, loaded):
        _step(one)
    for ours, theirs in zip(model.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    checkpoint = tf.train.Checkpoint(model=model)
    fresh = _step(_model())
    path = checkpoint.save(tmp_path / "checkpoint")
    tf.train.Checkpoint(model=fresh).restore(path).assert_consumed()
    for ours, theirs in zip(_variances(model), _variances(fresh)):
        np.testing.assert_array_equal(ours, theirs)


def test_each_layer_has_its_own_and_a_frozen_one_stays(tmp_path):
    given = NormalLearnedScale(2.0, 0.5)
    given.trainable = False
    model = _step(_model(prior={"hidden": given, "logits": given}))
    assert all((v == 0.25).all() for v in _variances(model))
    hidden, logits = model.bayesian_layers
    assert hidden.prior is not logits.prior
    hidden.prior.trainable = True
    model.compile("sgd")
    model.save(tmp_path / "model.keras")
    for one in (model, keras.models.load_model(tmp_path / "model.keras")):
        _step(one)
        assert (_variances(one)[0] != 0.25).all()
        assert (_variances(one)[1] == 0.25).all()


def test_no_gradient_passes_through_the_scale():
    def trained(prior):
        model = _model(bbh.posteriors.MeanField(-2.0), prior=prior)
        model.compile(keras.optimizers.SGD(0.1))
        return _step(model)

    learned = trained(None)
    fixed = {
        layer.name: _Fixed([float(v) for v in variances])
        for layer, variances in zip(
            learned.bayesian_layers, _variances(learned)
        )
    }
    for ours, theirs in zip(
        learned.trainable_variables, trained(fixed).trainable_variables
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


class _Fixed(bbh.priors.Prior):
    """Normals of given variances."""

    def __init__(self, variances):
        self.variances = variances

    def distributions(self, specs):
        return [tfp.distributions.Normal(0.0, v**0.5) for v in self.variances]


def test_a_layer_that_trains_alone_has_it_too():
    layer = bbh.layers.Bayesian(
        keras.layers.Dense(3),
        bbh.posteriors.MeanField(),
        prior=NormalLearnedScale(),
        kl_weight=1 / 8,
        divergence=KL.AnalyticKL(),
    )
    network = keras.Sequential([keras.Input((4,)), layer])
    network.compile("sgd", "mse")
    assert (np.array(layer.prior._variance) == 1).all()
    network.predict(np.zeros((2, 4)), verbose=0)
    assert (np.array(layer.prior._variance) == 1).all()
    network.fit(np.zeros((2, 4)), np.zeros((2, 3)), verbose=0)
    assert (np.array(layer.prior._variance) != 1).all()


def test_local_reparameterization_has_it_too():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model = small_models.model(
        bbh.models.bayesify(
            network,
            bbh.posteriors.MeanField(),
            prior=NormalLearnedScale(),
            local_reparameterization=True,
        ),
        divergence=KL.AnalyticKL(),
    )
    (layer,) = model.bayesian_layers
    before = layer.posterior.distributions()
    halves = [np.sum(q.variance() + q.mean() ** 2) / 2 for q in before]
    _step(model)
    np.testing.assert_allclose(
        layer.prior._variance,
        [(1 + halves[0]) / 7, (1 + halves[1]) / 2.5],
        rtol=1e-5,
    )


def test_bad_use_is_refused():
    with pytest.raises(ValueError, match="positive, finite rate; got 0"):
        NormalLearnedScale(rate=0)
    with pytest.raises(ValueError, match="finite concentration; got -1"):
        NormalLearnedScale(-1)
    with pytest.raises(ValueError, match=r"call of build\(specs\) first"):
        NormalLearnedScale().distributions(SPECS)
    prior = NormalLearnedScale().for_layer(SPECS)
    with pytest.raises(ValueError, match="was built with, 2; got 1"):
        prior.sample(1, SPECS[:1], randomness.key(0))

"""What users write of their own: that of docs/extending.md, in all ways."""

import pathlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import bbh_tf as bbh
from bbh_tf.callbacks import spread
from tests.models import small_models

tfd = tfp.distributions
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/extending.md"
X, Y = small_models.data(8)
KEY = bbh.randomness.key(1)


@pytest.fixture(scope="module")
def page():
    """What the page defines, as a dictionary."""
    names = {}
    # The last block trains.
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)[:3]:
        exec(block, names)
    return names


def _model(page, scope="layer", divergence=None, prior=None, **kwargs):
    random = bbh.models.bayesify(
        small_models.plain(),
        page["LogNormalScales"](),
        prior=prior or page["GammaScales"](),
        scope=scope,
    )
    return small_models.model(
        random, divergence=divergence or page["HalfKL"](), **kwargs
    )


@pytest.mark.parametrize("scope", ["layer", "network"])
@pytest.mark.parametrize("divergence", ["MonteCarloKL", "HalfKL"])
def test_train_save_reload_and_draw(page, scope, divergence, tmp_path):
    estimate = getattr(bbh.divergences, divergence, None) or page[divergence]
    model = _model(page, scope, estimate())
    history = model.fit(X, Y, epochs=2, verbose=0).history
    assert np.isfinite(history["kl"]).all()
    samples = model.predict_samples(X)
    assert np.abs(samples[0] - samples[1]).max() > 1e-3
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict_samples(X), samples)
    for one, two in zip(small_models.state(model), small_models.state(again)):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(
        again.draw(index=1).predict(X, verbose=0), samples[1], rtol=1e-5
    )


def test_the_kl_is_that_of_the_scales(page):
    model = _model(page, divergence=bbh.divergences.MonteCarloKL())
    draws = [
        layer.draw(2, model.step_key(), position)
        for position, layer in enumerate(model.bayesian_layers)
    ]
    expected = sum(
        np.mean(draw.log_prob)
        - np.sum(tfd.Gamma(2.0, 1.0).log_prob(draw.samples[0])) / 2
        for draw in draws
    )
    logs = model.train_on_batch(X, Y, return_dict=True)
    assert logs["kl"] == pytest.approx(expected, rel=1e-5)


def test_weights_are_made_of_the_scales(page):
    (layer, _) = _model(page).bayesian_layers
    draw = layer.draw(3, KEY)
    assert [x.shape for x in draw.samples] == [(3, 5)]
    assert [x.shape for x in draw.weights] == [(3, 4, 5)]
    np.testing.assert_allclose(
        np.linalg.norm(draw.weights[0], axis=1), draw.samples[0], rtol=1e-5
    )
    # The bias is no scale's, and is trained as it is.
    assert any(v is layer.layer.bias for v in layer.trainable_variables)
    assert not any(v is layer.layer.kernel for v in layer.trainable_variables)


def test_the_callbacks_compare_weights_with_weights(page):
    class Scales(bbh.priors.Prior):
        def sample(self, num_samples, specs, key):
            return [
                tf.exp(0.05 * bbh.randomness.normal(key, num_samples, x.shape))
                for x in specs
            ]

    model = _model(page, prior=Scales(), divergence=bbh.divergences.KernelKL())
    # q is log-normal as well, with log standard deviations of 0.05.
    of_posterior, *_ = spread.of_layers(model, 200, KEY)
    of_prior = spread.of_priors(model, 200, KEY)
    for name, value in of_posterior.items():
        assert value == pytest.approx(of_prior[name], rel=0.2)


def test_a_posterior_over_scales_is_no_prior_of_another_model(page):
    with pytest.raises(ValueError, match="over weights; got LogNormalScales"):
        bbh.models.priors_of(_model(page))


def test_a_divergence_without_a_density_is_refused_by_name():
    for divergence in (bbh.divergences.MonteCarloKL(),):
        with pytest.raises(ValueError, match="layer 'hidden' has Implicit"):
            small_models.model(divergence=divergence)


def _shifted(name, by):
    class Prior(bbh.priors.Prior):
        def sample(self, num_samples, specs, key):
            return [tf.fill((num_samples, *x.shape), by) for x in specs]

    Prior.__qualname__ = Prior.__name__ = name
    return Prior()


class _Learnt(bbh.priors.Prior, keras.layers.Layer):
    """A prior that is whatever its variable holds."""

    def __init__(self, value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.value = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(value),
            trainable=False,
        )
        self.built = True

    def get_config(self):
        # The variable says it all.
        return {}

    def sample(self, num_samples, specs, key):
        return [
            tf.fill((num_samples, *x.shape), tf.convert_to_tensor(self.value))
            for x in specs
        ]


@pytest.mark.parametrize(
    "priors",
    [
        (_shifted("Prior", 1.0), _shifted("Prior", 2.0)),
        (_Learnt(1.0, name="prior"), _Learnt(2.0, name="prior")),
    ],
    ids=["two classes of one name", "two layers of one name"],
)
def test_priors_are_told_apart_by_what_they_are(priors):
    layers = []
    for prior in priors:
        layer = bbh.layers.Bayesian(
            keras.layers.Dense(2), bbh.posteriors.MeanField(), prior
        )
        layer.build((None, 3))
        layers.append(layer)
    seen = []

    class Keep(bbh.divergences.SampleDivergence):
        def __call__(self, posterior, prior):
            seen.extend(float(x[0, 0, 0]) for x in prior[::2])
            return 0.0

    pairs = [layer.pair(layer.draw(2, KEY)) for layer in layers]
    Keep().estimate(pairs, 2, KEY)
    assert seen == [1.0, 2.0]
    # A layer's prior is its own: not that of another, nor what was given.
    if isinstance(priors[0], _Learnt):
        assert layers[0].prior is not priors[0]
        assert float(layers[0].prior.value) == 1.0


class _OfWidth:
    def __init__(self, width):
        super().__init__()
        self.width = width


def _told(base):
    return pytest.raises(
        ValueError, match=f"Expected {base}.* a get_config .* no 'width'"
    )


@pytest.mark.parametrize("base", ["MeanField", "Posterior"])
def test_a_posterior_that_copies_would_forget_is_refused(base):
    kind = type(base, (_OfWidth, getattr(bbh.posteriors, base)), {})
    with _told("_OfWidth"):
        bbh.layers.Bayesian(keras.layers.Dense(2), kind(3.0))


def test_a_prior_that_copies_and_files_would_forget_is_refused():
    plain = type("Plain", (_OfWidth, bbh.priors.Normal), {})
    mean_field = bbh.posteriors.MeanField()
    layer = bbh.layers.Bayesian(keras.layers.Dense(2), mean_field, plain(3.0))
    layer.build((None, 3))
    with _told("_OfWidth"):
        layer.get_config()
    bases = (_OfWidth, bbh.priors.Prior, keras.layers.Layer)
    layer = bbh.layers.Bayesian(
        keras.layers.Dense(2), mean_field, type("Copied", bases, {})(3.0)
    )
    with _told("_OfWidth"):
        layer.build((None, 3))


def test_a_divergence_that_files_would_forget_is_refused():
    kind = type("Mine", (_OfWidth, bbh.divergences.KernelKL), {})
    model = small_models.model(divergence=kind(3.0), compiled=False)
    with _told("_OfWidth"):
        model.get_config()

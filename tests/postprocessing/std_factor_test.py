"""A factor on standard deviations fits held-out labels, and is kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import postprocessing
from tests.models import ensembles
from tests.models import small_models

GENERATOR = np.random.default_rng(0)
X, _ = small_models.data(20)
Y = GENERATOR.normal(size=(20, 3)).astype("float32")
_FACTOR = 2.5


def _nll(means, stds, labels):
    """Nats of each label, by the mean of the draws' densities."""
    z = (labels - means) / stds
    log_density = -0.5 * z**2 - np.log(stds * np.sqrt(2 * np.pi))
    return np.log(len(means)) - np.logaddexp.reduce(log_density, axis=0)


def test_of_one_network_it_is_the_root_mean_square_of_errors():
    means = GENERATOR.normal(size=(50, 2))
    stds = 0.1 + GENERATOR.random((50, 2))
    labels = means + 3 * stds * GENERATOR.normal(size=(50, 2))
    squares = ((labels - means) / stds) ** 2
    found = postprocessing.fit_std_factor(means, stds, labels)
    assert found == pytest.approx(np.sqrt(squares.mean()), rel=1e-4)
    weights = GENERATOR.random(50)
    found = postprocessing.fit_std_factor(means, stds, labels, weights)
    expected = np.sqrt(np.average(squares.mean(axis=1), weights=weights))
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("wrong", [0.3, 1.0, 4.0])
def test_of_draws_it_is_that_of_their_mixture(wrong):
    means = GENERATOR.normal(size=(5, 400))
    stds = 0.5 + GENERATOR.random((5, 400))
    of_draw = GENERATOR.integers(5, size=400), np.arange(400)
    labels = means[of_draw] + stds[of_draw] * GENERATOR.normal(size=400)
    found = postprocessing.fit_std_factor(means, stds / wrong, labels)
    values = {
        factor: _nll(means, factor * stds / wrong, labels).mean()
        for factor in [found, 1.0, *np.geomspace(0.2, 10, 300)]
    }
    assert values[found] <= min(values.values()) + 1e-9
    # Labels of these very draws: wrong itself, but for chance.
    assert found == pytest.approx(wrong, rel=0.15)


def test_units_that_differ_are_told():
    with pytest.warns(UserWarning, match="highest factor .* same units"):
        postprocessing.fit_std_factor([0.0, 0.0], [1.0, 1.0], [1e3, -1e3])


def _network(units):
    return keras.Sequential(
        [
            keras.Input((4,)),
            bbh.layers.Bayesian(
                keras.layers.Dense(units), bbh.posteriors.MeanField(-1.0)
            ),
        ]
    )


MODELS = {
    "normal": lambda: small_models.model(_network(3), likelihood="normal"),
    "normal_learned_scale": lambda: small_models.model(
        _network(6), likelihood="normal_learned_scale"
    ),
    "ensemble": lambda: ensembles.ensemble(likelihood="normal"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_predicts_and_evaluates_under_it(name, tmp_path):
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    samples = model.predict_samples(X).astype(np.float64)
    means, stds = samples, np.ones_like(samples)
    if name == "normal_learned_scale":
        means, stds = (
            samples[..., :3],
            np.log1p(np.exp(samples[..., 3:])) + 1e-6,
        )
    before = model.predict_uncertainty(X, level=0.9)
    model.temperature = _FACTOR
    found = model.predict_uncertainty(X, level=0.9)
    for key, factor in (("aleatoric_std", _FACTOR), ("epistemic_std", 1.0)):
        np.testing.assert_allclose(
            found[key], factor * before[key], rtol=1e-5, atol=1e-7
        )
    width = found["upper"] - found["lower"]
    assert (width > before["upper"] - before["lower"]).all()
    np.testing.assert_array_equal(found["mean"], before["mean"])
    np.testing.assert_array_equal(model.predict_samples(X), samples)
    # An example's three labels come from one draw.
    z = (Y - means) / (_FACTOR * stds)
    log_prob = -0.5 * z**2 - np.log(_FACTOR * stds * np.sqrt(2 * np.pi))
    expected = -np.log(np.exp(log_prob.sum(axis=-1)).mean(axis=0)).mean()
    scores = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert scores["nll"] == pytest.approx(expected, rel=1e-4)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.temperature == _FACTOR
    model.export(tmp_path / "served")
    served = tf.saved_model.load(tmp_path / "served")
    for key, values in served.serve(X).items():
        np.testing.assert_allclose(values, found[key], atol=1e-5)
    if name == "normal_learned_scale":
        folder = str(tmp_path / "served")
        assert tf.lite.TFLiteConverter.from_saved_model(folder).convert()


@pytest.mark.parametrize("name", MODELS)
def test_fitting_it_lowers_the_nll_of_these_labels(name):
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    x, y = X, Y[:, :1]
    if name == "normal":
        # Labels without the axis that outputs have.
        model = small_models.model(_network(1), likelihood="normal")
        y = Y[:, 0]
    elif name == "normal_learned_scale":
        model = small_models.model(_network(2), likelihood=name)
    else:
        y = Y
    before = model.evaluate(x, 5 * y, verbose=0, return_dict=True)["nll"]
    assert postprocessing.with_temperature(model, x, 5 * y) is model
    assert model.temperature > 1.5
    after = model.evaluate(x, 5 * y, verbose=0, return_dict=True)["nll"]
    assert after < before


def test_of_labels_0_and_1_logits_are_divided():
    keras.utils.set_random_seed(0)
    model = small_models.model(_network(2), likelihood="bernoulli_logits")
    samples = model.predict_samples(X).astype(np.float64)
    model.temperature = _FACTOR
    expected = 1 / (1 + np.exp(-samples / _FACTOR))
    np.testing.assert_allclose(model.predict(X), expected.mean(0), atol=1e-6)
    labels = (samples.mean(axis=0) > 0).astype("float32")
    labels[14:] = 1 - labels[14:]
    postprocessing.with_temperature(model, X, labels)
    assert model.temperature == pytest.approx(
        postprocessing.fit_binary_temperature(samples, labels)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0], [0.0], [1.0]), "stds: expected numbers above 0, got 0"),
        (([0.0], [1e-200], [1.0]), "stds: .* got 1e-200 beside an error of 1"),
        (([0.0], [1.0], [np.nan]), "labels: expected finite"),
        (([0.0], [1.0, 1.0], [1.0]), r"stds: expected shape .* got \(2,\)"),
        (
            ([[0.0], [1.0]], [1.0], [1.0]),
            r"stds: expected the shape of means, \(2, 1\); got \(1, 1\)",
        ),
        (([[0.0, 1.0]], [[1.0, 1.0]], [1.0]), r"means: .* got \(1, 2\) for"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        postprocessing.fit_std_factor(*arguments)

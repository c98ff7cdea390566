"""Regression: densities are averaged, and uncertainty is split in two."""

import math
import statistics

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf.models import data_blocks
from bbh_tf.models import likelihoods
from tests.models import small_models

NORMAL = statistics.NormalDist()
NOISE = 0.5
NUM_DRAWS = 600
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(12, 1)).astype("float32")
Y = (0.8 * X + NOISE * GENERATOR.normal(size=(12, 1))).astype("float32")
X_TEST = np.linspace(-3, 3, 7, dtype="float32")[:, None]
Y_TEST = 0.5 * X_TEST + 0.7


def _log_density(y, mean, std):
    return -0.5 * ((y - mean) / std) ** 2 - np.log(std * math.sqrt(2 * math.pi))


def _cdf(y, mean, std):
    return np.vectorize(NORMAL.cdf)((y - mean) / std)


def _conjugate():
    """y = w x + noise with w ~ N(0, 1): the posterior in closed form."""
    precision = 1 + float((X**2).sum()) / NOISE**2
    mean, std = float((X * Y).sum()) / NOISE**2 / precision, precision**-0.5
    network = keras.Sequential(
        [
            keras.Input((1,)),
            bbh.layers.Bayesian(
                keras.layers.Dense(1, use_bias=False),
                bbh.posteriors.MeanField(),
            ),
        ]
    )
    posterior = network.layers[0].posterior
    values = [[mean]], [[2 * math.log(std)]]
    posterior.set_weights([np.array(value) for value in values])
    model = bbh.models.BayesianModel(
        network,
        num_train_examples=12,
        likelihood=likelihoods.Normal(NOISE),
        divergence=bbh.divergences.AnalyticKL(),
        num_prediction_samples=NUM_DRAWS,
        seed=1,
    )
    model.compile("sgd")
    predictive_std = np.sqrt(NOISE**2 + (X_TEST * std) ** 2)
    return model, (mean * X_TEST, predictive_std), std


@pytest.fixture(name="conjugate", scope="module")
def fixture_conjugate():
    return _conjugate()


def test_evaluate_says_the_log_of_the_mean_density(conjugate):
    model, exact, _ = conjugate
    means = model.predict_samples(X_TEST).astype(np.float64)
    log_densities = _log_density(Y_TEST, means, NOISE)[..., 0]
    densities = np.exp(log_densities)
    log_mean = np.log(densities.mean(0))
    logs = model.evaluate(X_TEST, Y_TEST, return_dict=True)
    assert logs["nll"] == pytest.approx(-log_mean.mean(), rel=1e-4)
    # Each example on its own, so that no error hides behind another's.
    errors = densities.std(0) / densities.mean(0) / NUM_DRAWS**0.5
    exact_log = _log_density(Y_TEST, *exact)[:, 0]
    assert (np.abs(log_mean - exact_log) < 4 * errors + 1e-5).all()
    # The mean of the logs is another number.
    assert -log_densities.mean() - logs["nll"] > 0.1


def test_the_spread_of_a_conjugate_model(conjugate):
    model, exact, std = conjugate
    found = model.predict_uncertainty(X_TEST, level=0.9, batch_size=3)
    assert {x.shape for x in found.values()} == {(7, 1)}
    np.testing.assert_allclose(found["aleatoric_std"], NOISE, rtol=1e-6)
    # Standard errors: of a mean, and of a standard deviation.
    mean, predictive_std = exact
    error = np.abs(X_TEST) * std / NUM_DRAWS**0.5
    assert (np.abs(found["mean"] - mean) <= 4 * error + 1e-6).all()
    epistemic = np.abs(X_TEST) * std
    np.testing.assert_allclose(
        found["epistemic_std"], epistemic, rtol=4 / (2 * NUM_DRAWS) ** 0.5
    )
    np.testing.assert_allclose(found["std"], predictive_std, rtol=0.06)
    np.testing.assert_allclose(
        found["std"] ** 2,
        found["aleatoric_std"] ** 2 + found["epistemic_std"] ** 2,
    )
    for name, probability in (("lower", 0.05), ("upper", 0.95)):
        exact_quantile = mean + predictive_std * NORMAL.inv_cdf(probability)
        np.testing.assert_allclose(found[name], exact_quantile, atol=0.1)


@pytest.fixture(name="heteroscedastic", scope="module")
def fixture_heteroscedastic():
    keras.utils.set_random_seed(0)
    posterior = bbh.posteriors.MeanField(initial_log_variance=0.0)
    layer = bbh.layers.Bayesian(keras.layers.Dense(4), posterior)
    network = keras.Sequential([keras.Input((1,)), layer])
    model = small_models.model(network, likelihood="normal_learned_scale")
    samples = model.predict_samples(X_TEST, 9, seed=4).astype(np.float64)
    stds = np.log1p(np.exp(samples[..., 2:])) + 1e-6
    return model, (samples[..., :2], stds)


def test_learned_noise(heteroscedastic):
    model, draws = heteroscedastic
    found = model.predict_uncertainty(X_TEST, num_samples=9, seed=4)
    assert set(found) == {"mean", "std", "aleatoric_std", "epistemic_std"}
    means, stds = draws
    variances = stds**2
    np.testing.assert_allclose(found["mean"], means.mean(0), rtol=1e-4)
    np.testing.assert_allclose(
        found["aleatoric_std"], np.sqrt(variances.mean(0)), rtol=1e-4
    )
    np.testing.assert_allclose(found["epistemic_std"], means.std(0), rtol=1e-4)
    np.testing.assert_allclose(
        found["std"], np.sqrt(means.var(0) + variances.mean(0)), rtol=1e-4
    )


@pytest.mark.parametrize("level", [0.1, 0.5, 0.99])
def test_an_interval_holds_its_part_of_the_mixture(heteroscedastic, level):
    model, draws = heteroscedastic
    found = model.predict_uncertainty(
        X_TEST, num_samples=9, seed=4, level=level
    )
    for name, probability in (
        ("lower", (1 - level) / 2),
        ("upper", (1 + level) / 2),
    ):
        below = _cdf(found[name], *draws).mean(0)
        np.testing.assert_allclose(below, probability, atol=2e-5)


def test_blocks_do_not_matter(heteroscedastic, monkeypatch):
    model, _ = heteroscedastic
    whole = model.predict_uncertainty(X_TEST, level=0.8)
    monkeypatch.setattr(data_blocks, "_BLOCK_BYTES", 10)
    for name, values in model.predict_uncertainty(
        X_TEST, level=0.8, batch_size=2
    ).items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-4, atol=1e-5)


def test_large_means_leave_the_spread_its_digits():
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model = bbh.models.DeepEnsemble(network, 3, likelihoods.Normal(1e-3))
    for member, bias in zip(model.members, (4096.0, 4096.5, 4097.0)):
        member.set_weights([np.zeros((1, 1)), np.array([bias])])
    found = model.predict_uncertainty(X_TEST)
    np.testing.assert_allclose(found["mean"], 4096.5)
    np.testing.assert_allclose(found["epistemic_std"], np.sqrt(1 / 6))


@keras.saving.register_keras_serializable(package="tests")
def _poisson_counts(outputs):
    import tensorflow_probability as tfp

    return tfp.distributions.Poisson(log_rate=outputs)


def test_a_likelihood_without_quantiles():
    model = small_models.model(likelihood=_poisson_counts)
    x, _ = small_models.data()
    rates = np.exp(model.predict_samples(x).astype(np.float64))
    found = model.predict_uncertainty(x)
    np.testing.assert_allclose(
        found["std"], np.sqrt(rates.mean(0) + rates.var(0)), rtol=1e-4
    )
    with pytest.raises(ValueError, match="Poisson has none"):
        model.predict_uncertainty(x, level=0.9)

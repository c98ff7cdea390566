"""The normal posterior with a full covariance, against TFP and NumPy."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bbh_tf import memory
from bbh_tf import posteriors
from bbh_tf import randomness
from bbh_tf.divergences import MonteCarloKL
from bbh_tf.divergences import Pair
from bbh_tf.priors import Normal
from bbh_tf.weights import WeightSpec

SPECS = [WeightSpec("kernel", (2, 3)), WeightSpec("bias", (1,))]
FACTOR = np.tril(np.random.default_rng(0).normal(size=(7, 7)))
FACTOR[np.diag_indices(7)] = np.linspace(0.5, 1.5, 7)
MEANS = [np.arange(6.0).reshape(2, 3), np.array([-2.0])]


def built(assigned=True):
    posterior = posteriors.MultivariateNormal(-3)
    posterior.build(SPECS)
    if assigned:
        posterior.assign(MEANS, FACTOR)
    return posterior


def expected():
    mean = np.concatenate([mean.ravel() for mean in MEANS])
    return tfp.distributions.MultivariateNormalTriL(mean, FACTOR)


def flat(samples):
    return np.concatenate([np.reshape(x, (len(x), -1)) for x in samples], 1)


def test_moments_of_draws():
    count = 20_000
    samples, _ = built().sample(count, randomness.key(1))
    assert [x.shape[1:] for x in samples] == [(2, 3), (1,)]
    draws = flat(samples)
    covariance = FACTOR @ FACTOR.T
    variance = np.diag(covariance)
    errors = (draws.mean(0) - expected().mean()) / np.sqrt(variance / count)
    assert np.abs(errors).max() < 4
    std = np.sqrt((np.outer(variance, variance) + covariance**2) / count)
    assert (np.abs(np.cov(draws.T) - covariance) / std).max() < 4


def test_density_and_entropy_are_those_of_tfp():
    posterior = built()
    samples, log_prob = posterior.sample(5, randomness.key(2))
    np.testing.assert_allclose(
        log_prob, expected().log_prob(flat(samples)), rtol=1e-4
    )
    np.testing.assert_allclose(
        posterior.entropy(), expected().entropy(), rtol=1e-5
    )


def test_monte_carlo_kl_is_that_of_tfp():
    posterior = built()
    draw = posterior.draw(20_000, randomness.key(3))
    pair = Pair("layer", posterior, Normal(0.5, 2.0), SPECS, draw)
    MonteCarloKL().check([pair])
    prior = tfp.distributions.MultivariateNormalTriL(
        np.full(7, 0.5), 2.0 * np.eye(7)
    )
    closed = expected().kl_divergence(prior)
    spread = np.std(prior.log_prob(flat(draw.samples))) / math.sqrt(20_000)
    found = MonteCarloKL().estimate([pair], 1, randomness.key(4))
    assert abs(float(found) - float(closed)) < 4 * spread


def test_gradients_reach_all_that_counts():
    posterior = built()
    with tf.GradientTape() as tape:
        samples, _ = posterior.sample(4, randomness.key(5))
        loss = tf.add_n([tf.reduce_sum(x**2) for x in samples])
        loss -= posterior.entropy()
    *means, log_scale, below = tape.gradient(
        loss, posterior.trainable_variables
    )
    assert all(np.all(np.asarray(x) != 0) for x in [*means, log_scale])
    is_below = np.tril(np.ones((7, 7)), -1) > 0
    np.testing.assert_array_equal(np.asarray(below) != 0, is_below)


def test_samples_depend_on_key_position_and_index():
    posterior = built()
    key = randomness.key(9)
    (five, _), log_prob = posterior.sample(5, key, 2)
    (later, _), later_log_prob = posterior.sample(2, key, 2, first=3)
    np.testing.assert_allclose(five[3:], later, rtol=1e-6)
    np.testing.assert_allclose(log_prob[3:], later_log_prob, rtol=1e-6)
    for other, position in ((key, 1), (randomness.key(8), 2)):
        (different, _), _ = posterior.sample(5, other, position)
        assert (different.numpy() != five.numpy()).any()


def test_starts_independent_and_around_weights():
    posterior = built(assigned=False)
    np.testing.assert_allclose(
        posterior.scale_tril(), math.exp(-1.5) * np.eye(7), rtol=1e-6
    )
    posterior = built()
    posterior.start_at(MEANS, 0.1)
    for mean, value in zip(posterior.mean(), MEANS):
        np.testing.assert_array_equal(mean, value)
    roots = [0.1 * math.sqrt(np.square(x).mean()) for x in MEANS]
    stds = np.repeat(roots, (6, 1))
    np.testing.assert_allclose(posterior.scale_tril(), np.diag(stds), rtol=1e-5)


def test_counts_report_and_config():
    posterior = built()
    assert posterior.count_params() == posterior.count_parameters(SPECS) == 63
    assert posterior.parameter_report() == [
        ("mean and covariance of kernel and bias", 7, 63)
    ]
    config = json.loads(
        json.dumps(keras.saving.serialize_keras_object(posterior))
    )
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.get_config() == posterior.get_config()
    assert posterior.distributions() is None


@pytest.mark.parametrize(
    "factor", [FACTOR[:6, :6], FACTOR.T, -FACTOR, FACTOR * np.nan]
)
def test_no_factor(factor):
    with pytest.raises(ValueError, match=r"lower triangular .* \(7, 7\)"):
        built().assign(MEANS, factor)


def test_other_refusals(monkeypatch):
    with pytest.raises(ValueError, match="MultivariateNormal .*; got nan"):
        posteriors.MultivariateNormal(float("nan"))
    with pytest.raises(ValueError, match="no parameters yet"):
        posteriors.MultivariateNormal().assign(MEANS, FACTOR)
    monkeypatch.setattr(memory, "available_bytes", lambda: 200)
    with pytest.raises(MemoryError, match="252 bytes .* of 7 weights"):
        built()

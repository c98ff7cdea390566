"""The methods of Figure 1, each against what its training should reach."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from experiments.toy import data as toy_data
from experiments.toy import methods as toy_methods
from experiments.toy import reference as toy_reference
from experiments.toy import released_code as toy_released_code
from experiments.toy import settings as toy_settings


def test_map_is_a_maximum_of_the_posterior():
    settings = toy_settings.of("paper", "map")
    data = toy_data.training_data()
    model, metrics = toy_methods.train("map", settings, data, seed=0)
    weights = tf.concat(
        [tf.reshape(v, [1, -1]) for v in model.members[0].trainable_variables],
        axis=1,
    )
    x, y = (tf.constant(values[:, 0]) for values in data)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = toy_reference.log_posterior(weights, x, y, 100, 9.0)
    gradient = tape.gradient(value, weights)
    # It starts at a norm of some 200.
    assert np.linalg.norm(gradient) < 1.0
    # The loss is minus the log posterior, a mean over the points.
    constant = np.log(9 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(
        metrics["loss"], -value[0] / 20 + constant, rtol=0.01
    )
    # The network that is predicted with is the one of the reference.
    grid = toy_data.grid(11)
    np.testing.assert_allclose(
        toy_methods.predict(model, grid, 5),
        toy_reference.outputs(weights, tf.constant(grid[:, 0]), 100),
        atol=1e-3,
    )


@pytest.mark.parametrize(
    ("method", "preset"),
    [
        *((method, "paper") for method in toy_settings.METHODS),
        *((method, "released_code") for method in ("bbb", "bbh")),
    ],
)
def test_draws_of_every_method(method, preset):
    settings = toy_settings.of(preset, method, "smoke")
    data = toy_data.training_data()
    model, metrics = toy_methods.train(method, settings, data, seed=3)
    assert np.isfinite(metrics["loss"])
    if isinstance(model, bbh.models.BayesianModel):
        assert model.num_train_examples == 20
        # Bayes' rule, to the end, or nothing.
        weight = 0 if preset == "released_code" else 1 / 20
        assert metrics["kl_weight"] == pytest.approx(weight)
    grid = toy_data.grid(13)
    draws = toy_methods.predict(model, grid, 6)
    count = {"map": 1, "ensemble": settings.num_members}.get(method, 6)
    assert draws.shape == (count, 13)
    assert np.isfinite(draws).all()
    if count > 1:
        assert (np.std(draws, axis=0) > 0).any()


@pytest.mark.parametrize("divergence", toy_settings.DIVERGENCES)
def test_bbh_takes_its_divergence_and_noise(divergence):
    settings = toy_settings.of(
        "paper",
        "bbh",
        "smoke",
        divergence=divergence,
        noise_dim=3,
        shared_noise=False,
    )
    data = toy_data.training_data()
    model, _ = toy_methods.train("bbh", settings, data, seed=0)
    posterior = model.bayesian_layers[0].posterior
    assert posterior.noise_dim == 3
    assert not posterior.shared_noise
    expected = {
        "kernel": bbh.divergences.KernelKL,
        "full_kernel": bbh.divergences.KernelKL,
        "entropy": bbh.divergences.NearestNeighbourEntropy,
        "constant_entropy": toy_released_code.ConstantEntropyKL,
    }
    assert type(model.divergence) is expected[divergence]
    if divergence.endswith("kernel"):
        assert model.divergence.per_weight is (divergence == "kernel")
    if divergence == "entropy":
        assert model.divergence.num_neighbours == 1


def test_settings_are_the_presets_but_for_changes():
    settings = toy_settings.of("paper", "bbh", noise_dim=None, num_samples=7)
    preset = toy_settings.of("paper", "bbh")
    assert settings == dataclasses.replace(preset, num_samples=7)
    assert preset.kl_scale == 1
    assert not preset.anneals_to_zero


def test_the_codes_annealing_ends_at_zero():
    steps = tf.range(8, dtype=tf.float32)
    np.testing.assert_allclose(
        toy_released_code.annealing(steps), [1, 1, 1, 0.5, 0, 0, 0, 0]
    )


def test_the_codes_kl_does_not_see_how_far_samples_are_apart():
    divergence = toy_released_code.ConstantEntropyKL()
    prior = [tf.constant([[0.0], [10.0]])]
    # Each sample is 1 from the nearest of the prior's, and taken to be 1e-4
    # from the others.
    together = divergence([tf.constant([[1.0], [1.0]])], prior)
    apart = divergence([tf.constant([[1.0], [9.0]])], prior)
    np.testing.assert_allclose(together, np.log(1e4) + np.log(2), rtol=1e-4)
    np.testing.assert_allclose(apart, together, rtol=1e-6)

"""Measures of predictive functions, against closed forms."""

import math

import numpy as np
import pytest

from experiments.toy import data as toy_data
from experiments.toy import measures as toy_measures


def test_log_density_of_normal_draws_is_that_of_the_wider_normal():
    draws = np.random.default_rng(0).normal(3.0, 4.0, (200_000, 3))
    labels = np.array([3.0, -7.0, 20.0])
    # N(3, 4^2) and noise of 9 make N(3, 4^2 + 9^2).
    variance = 4.0**2 + 9.0**2
    expected = -0.5 * (labels - 3) ** 2 / variance - 0.5 * np.log(
        2 * np.pi * variance
    )
    found = toy_measures.log_density(draws, labels, 9.0)
    # Standard error of the mean density: below 0.004 of it at all three.
    np.testing.assert_allclose(found, expected, atol=0.016)


def test_log_density_far_away_is_finite():
    draws = np.zeros((10, 1), np.float32)
    found = toy_measures.log_density(draws, np.array([900.0]), 9.0)
    expected = -0.5 * 100**2 - math.log(9 * math.sqrt(2 * math.pi))
    np.testing.assert_allclose(found, [expected], rtol=1e-9)


def test_log_density_is_of_the_mean_of_densities():
    draws = np.array([[0.0], [2.0]])
    densities = np.exp(-0.5 * np.array([1.0, 1.0])) / math.sqrt(2 * math.pi)
    found = toy_measures.log_density(draws, np.array([1.0]), 1.0)
    np.testing.assert_allclose(found, [np.log(densities.mean())])


def test_coverage_of_normal_values_is_nominal():
    values = np.random.default_rng(1).normal(2.0, 3.0, 100_000)
    found = toy_measures.coverage(values, 2.0, 3.0)
    for share, nominal in zip(found, toy_measures.NOMINAL):
        error = math.sqrt(nominal * (1 - nominal) / 100_000)
        assert abs(share - nominal) < 4 * error
    np.testing.assert_allclose(
        toy_measures.NOMINAL, [0.6827, 0.9545, 0.9973], atol=5e-5
    )


def test_coverage_by_hand():
    values = np.array([0.0, 1.5, -2.5, 9.0])
    assert toy_measures.coverage(values, 0.0, 1.0) == [0.25, 0.5, 0.75]


def test_wasserstein_of_normals_of_other_means_and_widths():
    generator = np.random.default_rng(2)
    ours = generator.normal([0.0, 0.0, 1.0], [1.0, 1.0, 1.0], (100_000, 3))
    theirs = generator.normal([0.0, 3.0, 1.0], [1.0, 1.0, 2.0], (50_000, 3))
    found = toy_measures.wasserstein(ours, theirs)
    # For N(m, s^2) and N(m, t^2): |s - t| E|N(0, 1)|, less the outermost
    # half-percents.
    np.testing.assert_allclose(found, [0, 3, math.sqrt(2 / math.pi)], atol=0.03)
    assert found[0] < 0.02


def test_the_posterior_is_as_near_to_itself_as_can_be():
    generator = np.random.default_rng(3)
    grid, (x, y) = toy_data.grid(100), toy_data.test_data(200)
    slopes = generator.normal(1.0, 0.5, (1000, 1))
    draws, at_test = slopes * grid[:, 0], slopes * x[:, 0]
    found = toy_measures.measure(draws, at_test, y[:, 0], draws)
    for part in ("all", "seen", "unseen"):
        assert found[part]["rmse_to_reference"] == 0
        assert found[part]["distance_to_reference"] == 0
        assert found[part]["std_ratio"] == pytest.approx(1)
    wider = toy_measures.measure(
        # Twice as wide, and 5 higher.
        2 * draws - np.mean(draws, axis=0) + 5.0,
        at_test,
        y[:, 0],
        draws,
    )
    for part in ("all", "seen", "unseen"):
        assert wider[part]["rmse_to_reference"] == pytest.approx(5)
        assert wider[part]["std_ratio"] == pytest.approx(2)
        assert wider[part]["nll"] == found[part]["nll"]


def test_seen_and_unseen_make_up_all():
    grid, (x, y) = toy_data.grid(100), toy_data.test_data(200)
    draws = np.zeros((2, 100))
    reference = np.random.default_rng(4).normal(0, 1, (50, 100))
    found = toy_measures.measure(draws, np.zeros((2, 200)), y[:, 0], reference)
    share = np.mean(toy_data.is_seen(x))
    mixed = share * found["seen"]["nll"] + (1 - share) * found["unseen"]["nll"]
    assert mixed == pytest.approx(found["all"]["nll"])
    truth = toy_data.truth(grid[:, 0].astype(float))
    assert found["rmse"] == pytest.approx(math.sqrt(np.mean(truth**2)))
    # Labels of the cubic are far from zero where nothing was seen.
    assert found["seen"]["nll"] < found["unseen"]["nll"]
    assert found["unseen"]["label_coverage"] == [0, 0, 0]
    # A function without spread covers nothing.
    assert found["all"]["function_coverage"] == [0, 0, 0]

"""Figure 2's exact posterior, its modes, and what flows find of them."""

import dataclasses
import math

import numpy as np
import pytest

from experiments.bhn import identity

SETTINGS = identity.Settings(num_draws=2000, learning_rate=0.002)


def test_the_grid_is_the_posterior():
    problem = identity.Problem(SETTINGS, 0.5)
    cell = (problem.axis[1] - problem.axis[0]) ** 2
    assert problem.density.sum() * cell == pytest.approx(1, rel=1e-9)
    # The likelihood by its residuals, up to a constant.
    generator = np.random.default_rng(0)
    x = generator.uniform(-1, 1, SETTINGS.num_points)
    y = x + 0.5 * generator.normal(size=SETTINGS.num_points)

    def log_joint(a, b):
        residuals = y - a * b * x
        return -0.5 * np.sum(residuals**2) / 0.25 - 10 * (a**2 + b**2)

    points = [(1.0, 1.0), (-0.8, -1.1), (0.3, -0.5)]
    offsets = [log_joint(*p) - problem.log_density(*p) for p in points]
    np.testing.assert_allclose(offsets, offsets[0], rtol=1e-9)


def test_exact_draws_are_at_both_modes_alike():
    problem = identity.Problem(SETTINGS, 0.5)
    generator = np.random.default_rng(1)
    weights = problem.density.ravel() / problem.density.sum()
    places = generator.choice(weights.size, 20_000, p=weights)
    rows, columns = np.unravel_index(places, problem.density.shape)
    draws = np.stack([problem.axis[rows], problem.axis[columns]], axis=1)
    # 95 % of the draws, half at each.
    for share in problem.shares(draws):
        assert share == pytest.approx(0.475, abs=0.015)
    assert problem.shares(np.zeros((10, 2))) == [0, 0]
    assert problem.barrier() > 20


def test_real_nvp_finds_both_modes_and_no_coupling_one():
    problem = identity.Problem(SETTINGS, 0.8)
    kl, shares = {}, {}
    for flow in ("none", "real_nvp"):
        settings = dataclasses.replace(
            SETTINGS, num_steps=1500, num_layers=4, units=50
        )
        draws, log_prob = identity.Trainer(settings, flow).run(problem, 0)
        log_exact = problem.log_density(*draws.astype(np.float64).T)
        kl[flow] = np.mean(log_prob - log_exact) + problem.log_evidence
        shares[flow] = problem.shares(draws)
    assert min(shares["real_nvp"]) > 0.1
    assert min(shares["none"]) == 0 and max(shares["none"]) > 0.5
    # One mode of two cannot be nearer than log 2.
    assert kl["none"] > math.log(2) > kl["real_nvp"] > 0


def test_a_seed_is_a_seed_whatever_ran_before():
    settings = dataclasses.replace(
        SETTINGS, num_steps=20, num_layers=1, units=5
    )
    problem = identity.Problem(settings, 0.8)
    trainer = identity.Trainer(settings, "real_nvp")
    first, _ = trainer.run(problem, 3)
    other, _ = trainer.run(problem, 4)
    again, _ = trainer.run(problem, 3)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()

"""The No-U-Turn Sampler, where the posterior is known."""

import numpy as np
import tensorflow as tf

from experiments.toy import data as toy_data
from experiments.toy import reference as toy_reference


def test_log_posterior_is_the_one_written_by_hand():
    generator = np.random.default_rng(0)
    units, noise_std = 4, 9.0
    x, y = (values[:, 0] for values in toy_data.training_data())
    weights = generator.normal(size=(3, 3 * units + 1))
    found = toy_reference.log_posterior(
        tf.constant(weights, tf.float32), x, y, units, noise_std
    )
    expected = []
    for row in weights:
        kernel, bias = row[:units], row[units : 2 * units]
        out_kernel, out_bias = row[2 * units : 3 * units], row[-1]
        value = 0.0
        for x_i, y_i in zip(x, y):
            hidden = [max(0.0, x_i * k + b) for k, b in zip(kernel, bias)]
            output = sum(h * w for h, w in zip(hidden, out_kernel)) + out_bias
            value -= 0.5 * ((y_i - output) / noise_std) ** 2
        expected.append(value - 0.5 * sum(w**2 for w in row))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_chains_find_a_linear_models_posterior():
    x = np.array([[1.0, 0.5], [1.0, -1.0], [1.0, 2.0], [1.0, 0.1]])
    y = np.array([1.0, -2.0, 3.5, 0.2])
    noise_std = 0.7
    # N(0, 1) on both weights: the posterior is normal.
    covariance = np.linalg.inv(np.eye(2) + x.T @ x / noise_std**2)
    mean = covariance @ x.T @ y / noise_std**2

    def log_prob(weights):
        residuals = y.astype(np.float32) - tf.linalg.matmul(
            weights, x.T.astype(np.float32)
        )
        return -0.5 * (
            tf.reduce_sum(residuals**2, 1) / noise_std**2
            + tf.reduce_sum(weights**2, 1)
        )

    start = tf.random.stateless_normal((8, 2), [1, 2])
    states, trace = toy_reference.sample_chains(log_prob, start, 500, 200, 3)
    assert states.shape == (500, 8, 2)
    assert all(values.shape == (500, 8) for values in trace.values())
    assert not trace["divergences"].any()
    assert 0.7 < trace["acceptance"].mean() < 0.95
    # Chains are independent: their spread tells the standard errors.
    for found, expected in (
        (states.mean(0), mean),
        (states.var(0), np.diag(covariance)),
        (
            np.prod(states - mean, axis=2).mean(0)[:, None],
            covariance[:1, 1],
        ),
    ):
        error = found.std(0, ddof=1) / np.sqrt(len(found))
        # Student's t with 7 degrees of freedom: one in 1,000 is beyond 5.4.
        assert (np.abs(found.mean(0) - expected) < 5.4 * error).all()
        assert (error < 0.1 * np.sqrt(covariance.max())).all()


def test_a_networks_posterior_is_near_that_of_infinitely_many_units():
    data = toy_data.training_data()
    grid = np.linspace(-6, 6, 11, dtype=np.float32)[:, None]
    found = toy_reference.run(data, grid, 100, 9.0, 4, 60, seed=0)
    assert found.draws.shape == (60, 4, 11)
    assert found.divergences == 0
    assert 0.6 < found.acceptance < 0.95
    assert found.r_hat < 1.1
    mean, std = _gaussian_process(data, grid)
    draws = found.draws.reshape(-1, 11)
    # 100 units are near infinitely many: the experiment's longer chains are
    # off by 0.14 standard deviations at most.
    allowed = 0.2 * std + 4 * found.mean_error
    assert (np.abs(draws.mean(0) - mean) < allowed).all()
    np.testing.assert_allclose(draws.std(0) / std, 1, atol=0.35)


def test_standard_errors_are_those_between_chains():
    generator = np.random.default_rng(5)
    # 20 chains of 50 draws each, at two points.
    draws = generator.normal(0, [1.0, 7.0], (50, 20, 2))
    found = toy_reference.error_between_chains(draws.mean(axis=0))
    # Variances 1 and 49, 25 on average, over 1,000 draws; from 20 chains a
    # standard error is known to a sixth.
    np.testing.assert_allclose(found, 5 / np.sqrt(1000), rtol=0.5)


def _gaussian_process(data, grid):
    x, y = (values[:, 0].astype(np.float64) for values in data)
    points = grid[:, 0].astype(np.float64)

    def covariance(a, b):
        # 100 ReLU units of N(0, 1) weights: the arc-cosine kernel.
        lengths = np.sqrt(np.outer(a**2 + 1, b**2 + 1))
        angle = np.arccos(np.clip((np.outer(a, b) + 1) / lengths, -1, 1))
        shape = np.sin(angle) + (np.pi - angle) * np.cos(angle)
        return 100 * lengths * shape / (2 * np.pi) + 1

    inner = covariance(x, x) + 81 * np.eye(len(x))
    gain = np.linalg.solve(inner, covariance(x, points)).T
    variance = covariance(points, points) - gain @ covariance(x, points)
    return gain @ y, np.sqrt(np.diag(variance))

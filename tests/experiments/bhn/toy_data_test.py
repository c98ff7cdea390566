"""Blundell's curve."""

import numpy as np

from experiments.bhn import toy_data


def test_points_are_the_curve_with_noise_inside():
    x, y = toy_data.training_data()
    assert x.shape == y.shape == (1000, 1)
    assert x.dtype == y.dtype == np.float32
    assert x.min() >= 0 and x.max() <= 0.5
    residuals = (y - toy_data.curve(x))[:, 0]
    # The noise counts the slope of the curve in it, times 0.02.
    step = 1e-4
    slope = (toy_data.curve(0, x[:, 0] + step) - toy_data.curve(0, x[:, 0])) / (
        step
    )
    assert np.std(residuals / slope)[()] < 0.2
    steep = np.abs(slope) > 3
    expected = 0.02 * np.sqrt(np.mean(slope[steep] ** 2))
    assert np.std(residuals[steep]) / expected < 1.2
    assert np.std(residuals[steep]) / expected > 0.8


def test_the_grid_goes_beyond_the_points():
    grid = toy_data.grid()
    assert (grid[0, 0], grid[-1, 0]) == (-0.5, 1.5)
    assert 0 < toy_data.is_seen(grid).mean() < 0.5

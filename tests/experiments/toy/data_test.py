"""The data of Figure 1."""

import numpy as np

from experiments.toy import data as toy_data


def test_training_data_are_the_authors():
    x, y = toy_data.training_data()
    # numpy.random.seed(1), then uniform(-4, 4, 20) and normal(0, 9, 20).
    state = np.random.RandomState(1)
    expected = state.uniform(-4, 4, 20)
    noise = state.normal(0, 9, 20)
    assert x.shape == y.shape == (20, 1)
    assert x.dtype == y.dtype == np.float32
    np.testing.assert_allclose(x[:, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(y[:, 0], expected**3 + noise, rtol=1e-5)
    np.testing.assert_allclose(x[:3, 0], [-0.663824, 1.762596, -3.999085], 1e-5)
    again = toy_data.training_data()
    np.testing.assert_array_equal(again, (x, y))


def test_test_data_are_of_the_same_cubic_and_noise():
    x, y = toy_data.test_data(100_000)
    assert np.abs(x).max() <= 6
    residuals = (y - toy_data.truth(x.astype(np.float64))) / 9
    # Standard errors of mean and standard deviation: 0.0032 and 0.0022.
    assert abs(residuals.mean()) < 0.013
    assert abs(residuals.std() - 1) < 0.009
    np.testing.assert_array_equal(toy_data.test_data(100_000)[1], y)
    # No test point is a training point.
    assert not np.intersect1d(x, toy_data.training_data()[0]).size


def test_grid_goes_from_minus_six_to_six():
    grid = toy_data.grid()
    assert grid.shape == (500, 1)
    assert (grid[0, 0], grid[-1, 0]) == (-6, 6)
    seen = toy_data.is_seen(grid)
    assert seen.shape == (500,)
    np.testing.assert_array_equal(seen, np.abs(grid[:, 0]) <= 4)

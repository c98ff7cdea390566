"""The cubic of Figure 1: 20 noisy points, a grid, and points to test on."""

import numpy as np

NOISE_STD = 9.0
NUM_TRAIN = 20
# Training points lie within this of zero, grid and test points within GRID.
SEEN = 4.0
GRID = 6.0
# Any but the training data's own, 1.
_TEST_SEED = 2


def truth(x):
    """Returns x^3."""
    return x**3


def training_data():
    """Makes the authors' 20 points, x ~ U(-4, 4), y ~ N(x^3, 9^2).

    Returns:
        `(x, y)`, `float32` arrays of shape `(20, 1)`.
    """
    return _sample(np.random.RandomState(1), NUM_TRAIN, SEEN)


def grid(num_points=500):
    """Returns evenly spaced x from -6 to 6, a `float32` array `(n, 1)`."""
    return np.linspace(-GRID, GRID, num_points, dtype=np.float32)[:, None]


def test_data(num_points=1000):
    """Makes points of the same cubic and noise, x ~ U(-6, 6).

    Returns:
        `(x, y)`, `float32` arrays of shape `(num_points, 1)`, the same in
        every call.
    """
    return _sample(np.random.RandomState(_TEST_SEED), num_points, GRID)


def is_seen(x):
    """Returns where x is in [-4, 4], a boolean array of shape `(n,)`."""
    return np.abs(x[:, 0]) <= SEEN


def _sample(generator, count, limit):
    x = generator.uniform(-limit, limit, (count, 1))
    y = generator.normal(truth(x), NOISE_STD)
    return x.astype(np.float32), y.astype(np.float32)

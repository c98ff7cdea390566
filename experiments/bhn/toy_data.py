"""Blundell's curve, with noise inside its waves."""

import numpy as np

NOISE_STD = 0.02
# Training points lie between these; the grid goes from LOWEST to HIGHEST.
SEEN = (0.0, 0.5)
LOWEST, HIGHEST = -0.5, 1.5


def curve(x, noise=0.0):
    """Returns x + 0.3 sin 2 pi (x + e) + 0.3 sin 4 pi (x + e) + e."""
    inside = x + noise
    return (
        x
        + 0.3 * np.sin(2 * np.pi * inside)
        + 0.3 * np.sin(4 * np.pi * inside)
        + noise
    )


def training_data(num_points=1000):
    """Makes points, x ~ U(0, 0.5), e ~ N(0, 0.02^2), the same in every call.

    Returns:
        `(x, y)`, `float32` arrays of shape `(num_points, 1)`.
    """
    generator = np.random.RandomState(1)
    x = generator.uniform(*SEEN, (num_points, 1))
    y = curve(x, NOISE_STD * generator.normal(size=x.shape))
    return x.astype(np.float32), y.astype(np.float32)


def grid():
    """Returns evenly spaced x, a `float32` array `(201, 1)`."""
    return np.linspace(LOWEST, HIGHEST, 201, dtype=np.float32)[:, None]


def is_seen(x):
    """Returns where x is among the training data's, a boolean array."""
    return (x >= SEEN[0]) & (x <= SEEN[1])

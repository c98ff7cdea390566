"""How far predictions are from the cubic, and from the posterior."""

import math

import numpy as np

from experiments.toy import data as toy_data

WIDTHS = (1, 2, 3)
# Of a normal distribution, within 1, 2 and 3 standard deviations.
NOMINAL = tuple(math.erf(width / math.sqrt(2)) for width in WIDTHS)
_LEVELS = np.linspace(0.005, 0.995, 100)


def measure(grid_draws, test_draws, test_y, reference_draws):
    """Measures one method.

    Args:
        grid_draws: functions drawn, at `toy_data.grid()`,
            `(num_draws, num_grid)`.
        test_draws: the same functions at the test points,
            `(num_draws, num_test)`.
        test_y: noisy labels of `toy_data.test_data()`, `(num_test,)`.
        reference_draws: functions drawn from the posterior at the grid,
            `(num_reference_draws, num_grid)`.

    Returns:
        Dictionary of numbers. Those under `"seen"` are of x in [-4, 4], those
        under `"unseen"` of the rest.
    """
    grid = toy_data.grid(grid_draws.shape[1])
    test_x, _ = toy_data.test_data(len(test_y))
    mean, std = _moments(grid_draws)
    reference_mean, reference_std = _moments(reference_draws)
    distance = wasserstein(grid_draws, reference_draws)
    truth = toy_data.truth(grid[:, 0].astype(np.float64))
    log_densities = log_density(test_draws, test_y, toy_data.NOISE_STD)
    noisy = np.sqrt(np.var(test_draws, axis=0) + toy_data.NOISE_STD**2)
    test_mean = np.mean(test_draws, axis=0)

    def on(on_grid, on_test):
        return {
            "rmse_to_reference": rmse(mean[on_grid], reference_mean[on_grid]),
            "distance_to_reference": float(np.mean(distance[on_grid])),
            "std_ratio": float(np.mean((std / reference_std)[on_grid])),
            "nll": -float(np.mean(log_densities[on_test])),
            "label_coverage": coverage(
                test_y[on_test], test_mean[on_test], noisy[on_test]
            ),
            "function_coverage": coverage(
                truth[on_grid], mean[on_grid], std[on_grid]
            ),
        }

    seen = toy_data.is_seen(grid), toy_data.is_seen(test_x)
    everywhere = np.ones_like(seen[0]), np.ones_like(seen[1])
    return {
        "rmse": rmse(mean, truth),
        "all": on(*everywhere),
        "seen": on(*seen),
        "unseen": on(*(~where for where in seen)),
    }


def rmse(values, targets):
    """Returns the root mean square of the differences."""
    return float(np.sqrt(np.mean((values - targets) ** 2)))


def log_density(draws, labels, noise_std):
    """Evaluates log (mean over draws of N(label; draw, noise_std^2)).

    Args:
        draws: `(num_draws, num_points)`.
        labels: `(num_points,)`.
        noise_std: standard deviation of the noise.

    Returns:
        `(num_points,)`, nats.
    """
    squares = ((labels - draws.astype(np.float64)) / noise_std) ** 2
    nearest = np.min(squares, axis=0)
    mean = np.mean(np.exp(-0.5 * (squares - nearest)), axis=0)
    constant = math.log(noise_std * math.sqrt(2 * math.pi))
    return np.log(mean) - 0.5 * nearest - constant


def coverage(values, mean, std):
    """Returns the share of values within 1, 2 and 3 standard deviations."""
    return [
        float(np.mean(np.abs(values - mean) <= width * std)) for width in WIDTHS
    ]


def wasserstein(draws, others):
    """Returns the Wasserstein-1 distance at each point.

    It is the mean distance between quantiles of the draws and of the others,
    100 of them.

    Args:
        draws: `(num_draws, num_points)`.
        others: `(num_others, num_points)`.

    Returns:
        `(num_points,)`, in units of the draws.
    """
    ours, theirs = (np.quantile(x, _LEVELS, axis=0) for x in (draws, others))
    return np.mean(np.abs(ours - theirs), axis=0)


def _moments(draws):
    draws = draws.astype(np.float64)
    return np.mean(draws, axis=0), np.std(draws, axis=0)

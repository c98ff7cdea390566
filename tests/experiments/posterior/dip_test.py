"""Hartigan's dip, against linear programmes and its nominal level."""

import numpy as np
import pytest
from scipy import optimize

from experiments.posterior import dip


def _dip_by_definition(values):
    """Minimises the distance to unimodal functions, mode by mode."""
    points, counts = np.unique(values, return_counts=True)
    above = np.cumsum(counts) / len(values)
    below = above - counts / len(values)
    count = len(points)
    steps = np.diff(points)
    best = np.inf
    for mode in range(count):
        # Unknown: G at the points, then the distance.
        rows, limits = [], []
        for k in range(count):
            for sign, limit in ((1, below[k]), (-1, -above[k])):
                row = np.zeros(count + 1)
                row[k], row[-1] = sign, -1
                rows.append(row)
                limits.append(limit)
        for k in range(1, count - 1):
            # Slopes grow up to the mode and fall after it. At the mode they
            # may do either.
            if k == mode:
                continue
            row = np.zeros(count + 1)
            row[k - 1 : k + 2] = (
                -1 / steps[k - 1],
                1 / steps[k - 1] + 1 / steps[k],
                -1 / steps[k],
            )
            rows.append(row if k < mode else -row)
            limits.append(0)
        for k in range(count - 1):
            row = np.zeros(count + 1)
            row[k : k + 2] = 1, -1
            rows.append(row)
            limits.append(0)
        cost = np.zeros(count + 1)
        cost[-1] = 1
        found = optimize.linprog(
            cost, rows, limits, bounds=[(None, None)] * (count + 1)
        )
        best = min(best, found.fun)
    return best


@pytest.mark.parametrize("kind", ["uniform", "normal", "two modes", "ties"])
def test_it_is_the_least_distance_to_unimodal_functions(kind):
    generator = np.random.default_rng(0)
    for size in (3, 6, 9, 13):
        for _ in range(4):
            values = generator.normal(size=size)
            if kind == "uniform":
                values = generator.random(size)
            elif kind == "two modes":
                values += 4 * (np.arange(size) % 2)
            elif kind == "ties":
                values = np.round(1.5 * values)
            assert dip.dip(values) == pytest.approx(
                _dip_by_definition(values), abs=1e-6
            )


def test_by_hand():
    assert dip.dip(np.arange(10)) == pytest.approx(1 / 20)
    # Half at each of two places, nearly: the largest there is.
    halves = np.concatenate([np.linspace(0, 1e-6, 50), 1 + np.arange(50) / 1e8])
    assert dip.dip(halves) == pytest.approx(1 / 4, abs=0.01)
    # Neither place nor scale matters, nor the direction.
    values = np.random.default_rng(1).normal(size=200)
    assert dip.dip(7 - 3 * values) == pytest.approx(dip.dip(values))


def test_rates_of_rejection():
    generator = np.random.default_rng(2)
    size, repeats = 200, 400

    def share(draw):
        dips = [dip.dip(draw()) for _ in range(repeats)]
        return np.mean(dip.p_values(dips, size) < 0.05)

    # Four standard errors of 400 samples, and that of the simulated quantile.
    assert 0.05 - 0.05 < share(lambda: generator.random(size)) < 0.05 + 0.05
    assert share(lambda: generator.normal(size=size)) < 0.05
    # Two normals five standard deviations apart.
    assert (
        share(
            lambda: generator.normal(5.0 * generator.integers(0, 2, size), 1.0)
        )
        == 1
    )

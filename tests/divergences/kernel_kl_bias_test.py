"""Where the nearest-neighbour KL comes out, on average, and where it ends."""

import math

import numpy as np
import pytest

from bbh_tf.divergences import KernelKL


def truth(mean, std):
    """KL(N(mean, std^2) || N(0, 1)) in nats."""
    return 0.5 * (std**2 + mean**2 - 1) - math.log(std)


def draw(n, mean, std, num_weights, seed):
    generator = np.random.default_rng(seed)
    q = mean + std * generator.standard_normal((n, num_weights))
    p = generator.standard_normal((n, num_weights))
    # In double precision no two samples of a weight are equal.
    return q, p


def measure(n, mean, std, num_weights, blocks):
    """Mean of the estimate over all weights, and its standard error."""
    values = [
        float(KernelKL()(*draw(n, mean, std, num_weights, (n, block))))
        / num_weights
        for block in range(blocks)
    ]
    return np.mean(values), np.std(values, ddof=1) / math.sqrt(blocks)


# Bounds of the bias that are known beforehand to shrink with n: at 5 samples
# it was measured as 0.089, 0.059 and 0.025, and it falls about as 1 / n.
@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.5), (0.3, 0.8), (0.0, 1.0)])
def test_approaches_the_closed_form(mean, std):
    errors = []
    for n, num_weights, blocks in (
        (5, 10_000, 40),
        (50, 4_000, 40),
        (500, 500, 40),
    ):
        value, error = measure(n, mean, std, num_weights, blocks)
        assert error < 0.003
        bias = 0.5 / n
        assert abs(value - truth(mean, std)) < bias + 4 * error, n
        errors.append(value - truth(mean, std))
    assert errors[0] > 0.02
    assert abs(errors[1]) < 0.25 * errors[0]


# The means of 4,000,000 weights, printed by benchmarks/kernel_kl_bias.py.
@pytest.mark.parametrize(
    ("std", "expected"),
    [(0.25, 1.0066), (1.0, 0.0276), (1.5, -0.0099), (2.0, 0.0419)],
)
def test_bias_at_five_samples(std, expected):
    value, error = measure(5, 0.0, std, 10_000, 40)
    assert error < 0.003
    assert abs(value - expected) < 4 * error
    if std == 2.0:
        assert truth(0.0, std) == pytest.approx(0.807, abs=1e-3)


def test_bias_where_q_is_wide_shrinks_slowly():
    errors = [
        measure(n, 0.0, 2.0, num_weights, 20)[0] - truth(0.0, 2.0)
        for n, num_weights in ((5, 4_000), (50, 2_000), (500, 200))
    ]
    assert errors[0] < errors[1] < errors[2] < -0.1


def test_least_at_a_wider_q_than_the_prior():
    # The same numbers, scaled: the differences are far surer than the means.
    q, p = draw(5, 0.0, 1.0, 200_000, 9)
    means = {std: float(KernelKL()(std * q, p)) for std in (1.0, 1.4, 2.0)}
    assert means[1.4] < means[1.0]
    assert means[1.4] < means[2.0]

"""Where estimates of the KL come out, on average, and where they end."""

import math

import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf.divergences import KernelKL
from bbh_tf.divergences import NearestNeighbourEntropy
from benchmarks import divergence_bias
from benchmarks import neighbours


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


def entropy(q, _):
    (normal,) = bbh.priors.Normal().distributions([None])
    return NearestNeighbourEntropy(1)(q, normal)


# Entries of docs/divergences.md, whose own errors are smaller.
@pytest.mark.parametrize(
    ("estimate", "mean", "std", "bias", "deviation"),
    [
        (KernelKL(), 0.0, 0.1, 0.0888, 1.3),
        (KernelKL(), 0.0, 1.0, 0.0269, 0.88),
        (KernelKL(), 0.0, 2.0, -0.7655, 0.83),
        (KernelKL(), 1.0, 1.0, -0.1298, 1.0),
        (entropy, 0.0, 0.1, 0.0517, 0.71),
        (entropy, 1.0, 2.0, 0.0531, 1.5),
    ],
)
def test_bias_of_a_weight_at_five_samples(estimate, mean, std, bias, deviation):
    case = divergence_bias.Case(mean, std)
    assert case.truth == pytest.approx(truth(mean, std))
    result = divergence_bias.measure(estimate, case, 5, 5, 4_000, 100)
    assert result.error < 0.004
    assert abs(result.bias - bias) < 4 * result.error
    # Of 100 values: to 7 % of a standard error.
    assert result.deviation == pytest.approx(deviation, rel=0.3)


@pytest.mark.parametrize(
    ("dimension", "blocks", "mean", "std", "bias"),
    [
        (10, 1_000, 0.0, 0.5, 0.1054),
        (520, 200, 0.0, 2.0, -1.0357),
        (520, 200, 1.0, 0.5, -0.0676),
    ],
)
def test_bias_of_the_full_form(dimension, blocks, mean, std, bias):
    result = divergence_bias.measure(
        KernelKL(per_weight=False),
        divergence_bias.Case(mean, std),
        5,
        5,
        dimension,
        blocks,
        together=True,
    )
    assert result.error < 0.01
    # The page's entries are means of at most five times as many.
    assert abs(result.bias - bias) < 4 * 1.5 * result.error


# Entries of docs/divergences.md.
@pytest.mark.parametrize(
    ("form", "k", "m", "bias", "has_minimum"),
    [
        ("entropy", 3, None, 0.031, True),
        ("kernel", 3, 5, -0.005, False),
        ("kernel", 3, 20, 0.076, True),
    ],
)
def test_the_third_neighbour(form, k, m, bias, has_minimum):
    found = neighbours.measure(form, k, 5, m, 100_000)
    place = neighbours.STDS_OF_BIAS.index(1.0)
    assert abs(found["bias"][place] - bias) < 4 * found["error"][place] + 0.001
    assert (found["least_at"] is not None) == has_minimum


def test_the_full_form_of_many_weights_falls_for_ever():
    """Where distances are all alike it is log((1 + s^2) / (2 s^2)) / 2."""
    values = []
    for std in (0.5, 1.0, 2.0, 5.0):
        case = divergence_bias.Case(0.0, std)
        q, p = case.draw(5, 5, 200_000, (0,))
        value = float(KernelKL(per_weight=False)(q, p)) / 200_000
        limit = 0.5 * math.log((1 + std**2) / (2 * std**2))
        # Nearest among five of distances that differ by about 1 in 600.
        assert value == pytest.approx(limit, abs=0.01)
        values.append(value)
    assert values == sorted(values, reverse=True)


# A thousand steps leave the discriminator about this far from the best.
@pytest.mark.parametrize(
    ("case", "expected", "tolerance"),
    [
        (divergence_bias.Case(0.0, 0.5), 0.318, 0.05),
        (divergence_bias.Case(0.0, 0.1, math.sqrt(0.99)), 0.0, 0.05),
    ],
    ids=["alike", "fill the prior together"],
)
def test_adversarial(case, expected, tolerance):
    kl = divergence_bias.train_discriminator(case, 5, 5, 0, 1_000)
    result = divergence_bias.measure(kl, case, 5, 5, 4_000, 10)
    value = result.bias + case.truth
    assert abs(value - expected) < tolerance + 4 * result.error


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

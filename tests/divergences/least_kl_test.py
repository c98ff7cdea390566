"""The least KL of moments, against closed forms."""

import numpy as np
import pytest
from scipy import special

import bbh_tf as bbh

LOC = 0.5


def _normal(draws, weights):
    return np.random.default_rng(0).normal(size=(draws, weights))


def _kl(values, num_samples, prior_scale):
    mean, std = values.mean(axis=0), values.std(axis=0, ddof=1)
    return bbh.divergences.least_kl(mean, std**2, num_samples, LOC, prior_scale)


@pytest.mark.parametrize("draws", [10, 300])
def test_least_kl_is_that_of_independent_normals(draws):
    random = np.random.default_rng(2)
    mean, std = random.normal(size=4000), random.uniform(0.2, 3, 4000)
    found = _kl(LOC + mean + std * _normal(draws, 4000), draws, prior_scale=2.0)
    expected = np.sum((mean**2 + std**2) / 4 - 1 - 2 * np.log(std / 2)) / 2
    # Variances of the estimates: of means, and of variances, their logarithms.
    ratio, freedom = std**2 / 4, draws - 1
    of_mean = mean**2 * ratio / (4 * draws)
    of_log = special.polygamma(1, freedom / 2)
    of_std = ((ratio**2 - 2 * ratio) * 2 / freedom + of_log) / 4
    error = np.sqrt(np.sum(of_mean + of_std))
    assert abs(found - expected) < 4 * error


def test_least_kl_is_below_that_of_dependent_weights():
    draws = 20_000
    covariance = 0.9 + 0.1 * np.eye(3)
    exact = -np.linalg.slogdet(covariance)[1] / 2
    assert exact > 1.7
    values = _normal(draws, 3) @ np.linalg.cholesky(covariance).T
    # Each marginal is the prior's: all of the KL is total correlation. To
    # first order the variances' errors cancel with their logarithms'.
    found = _kl(LOC + values, draws, prior_scale=1.0)
    assert abs(found) < 4 * 3 / draws
    # A weight that never varies has no part in it.
    with_fixed = np.concatenate([LOC + values, np.ones((draws, 1))], axis=1)
    assert _kl(with_fixed, draws, 1.0) == pytest.approx(found)


@pytest.mark.parametrize(
    ("mean", "variance"), [(0.0, np.nan), (np.nan, 1.0), (np.nan, np.nan)]
)
def test_what_is_no_number_is_not_passed_over(mean, variance):
    # As of a weight whose draws are not finite: nothing is known of it.
    found = bbh.divergences.least_kl([0.0, mean], [1.0, variance], 5)
    assert np.isnan(found)


def test_too_few_draws_are_refused():
    with pytest.raises(ValueError, match="at least 2; got 1"):
        bbh.divergences.least_kl([0.0], [1.0], 1)


@pytest.mark.parametrize(
    ("variance", "prior", "message"),
    [
        # Each would count three weights as nine, or as six.
        (
            np.ones((3, 1)),
            {},
            r"of one shape, .* got shapes \[\(3,\), \(3, 1\)",
        ),
        (np.ones(3), {"loc": np.zeros((2, 3))}, r"\(2, 3\), \(\)\]"),
        (np.ones(3), {"scale": [1.0, 1.0, 0.0]}, "scale to be above 0; got 0"),
        (np.ones(3), {"scale": -1.0}, "scale to be above 0; got -1"),
    ],
)
def test_what_does_not_fit_is_refused(variance, prior, message):
    with pytest.raises(ValueError, match=message):
        bbh.divergences.least_kl(np.zeros(3), variance, 5, **prior)

"""Closed forms of a Gaussian posterior, and what the estimate sees of them."""

import math

import numpy as np
import pytest
import tensorflow_probability as tfp

from experiments.bound import gaussian

tfd = tfp.distributions


@pytest.mark.parametrize("sigma", [0.05, 1.0])
def test_closed_forms_are_those_of_the_normal(sigma):
    matrix = gaussian.generator(6, 2, 1)
    covariance = matrix @ matrix.T + sigma**2 * np.eye(6)
    found = gaussian.closed_forms(matrix, sigma)
    whole = tfd.MultivariateNormalTriL(
        np.zeros(6), np.linalg.cholesky(covariance)
    )
    prior = tfd.MultivariateNormalDiag(np.zeros(6), np.ones(6))
    assert found["kl"] == pytest.approx(float(whole.kl_divergence(prior)))
    own = tfd.Normal(np.float64(0), np.sqrt(np.diag(covariance)))
    standard = tfd.Normal(np.float64(0), np.float64(1))
    assert found["marginals"] == pytest.approx(
        float(np.sum(own.kl_divergence(standard)))
    )
    # E_z of normals around A z, whose rows have length 1.
    conditional = 6 * 0.5 * (sigma**2 + 1 - 1 - 2 * math.log(sigma))
    assert found["conditional"] == pytest.approx(conditional)
    assert found["conditional"] - found["information"] == pytest.approx(
        found["kl"]
    )


def test_the_kl_grows_and_the_estimate_does_not():
    matrix = gaussian.generator(300, 4, 0)
    narrow, wide = (gaussian.closed_forms(matrix, s) for s in (1e-4, 1e-2))
    growth = narrow["kl"] - wide["kl"]
    assert growth == pytest.approx((300 - 4) * math.log(100), rel=1e-3)
    gain = narrow["information"] - wide["information"]
    assert gain == pytest.approx(4 * math.log(100), rel=1e-3)
    for sigma in (0.0, 1e-2):
        mean, error = gaussian.estimate(matrix, sigma, 5, 40, 0)
        # 0.03 nats a weight is its bias.
        assert abs(mean - 0.03 * 300) < 4 * error + 1
        assert error < 0.1 * 300

"""Normal values against SciPy's densities."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from bbh_tf import normal


@pytest.mark.parametrize("shape", [(), (7,), (2, 3)])
def test_log_prob_and_entropy_are_those_of_the_distribution(shape):
    random = np.random.default_rng(0)
    log_variance = random.normal(size=shape).astype(np.float32)
    differences = random.normal(size=(4, *shape)).astype(np.float32)
    variance = np.exp(log_variance)
    distribution = scipy.stats.norm(0.0, np.sqrt(variance))
    axes = tuple(range(1, 1 + len(shape)))
    np.testing.assert_allclose(
        normal.log_prob(tf.constant(differences**2 / variance), log_variance),
        distribution.logpdf(differences).sum(axis=axes),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        normal.entropy(log_variance),
        np.sum(distribution.entropy()),
        rtol=1e-5,
    )


def test_standard_noise_needs_no_variance():
    noise = tf.constant([[0.5, -2.0], [0.0, 1.0]])
    np.testing.assert_allclose(
        normal.log_prob(tf.square(noise)),
        scipy.stats.norm.logpdf(noise).sum(axis=1),
        rtol=1e-6,
    )

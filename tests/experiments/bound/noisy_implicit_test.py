"""The bound of a hypernetwork's density, against a known one."""

import math

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bbh_tf import randomness
from bbh_tf.weights import WeightSpec
from experiments.bound import noisy_implicit

SPECS = [WeightSpec("kernel", (2, 2)), WeightSpec("bias", (2,))]


def made(num_components):
    """A hypernetwork that is linear, w = A z + b, so that q is normal."""
    posterior = noisy_implicit.NoisyImplicit((), 2, num_components)
    posterior.build(SPECS)
    kernel = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
    kernel, mean = kernel[:2], kernel[2]
    # Whichever of the inputs is the constant, it has weight 0.
    (layer,) = posterior._generator._stack
    spread, _ = layer.trainable_variables
    noise_first = np.concatenate([kernel, np.zeros((1, 6), "float32")])
    spread.assign(noise_first)
    layer.set_bias(mean)
    value = posterior._generator(tf.constant([[0.0, 0.0]]))
    np.testing.assert_allclose(value[0], mean, rtol=1e-6)
    posterior._log_variances.assign(np.linspace(-3, -1, 6))
    covariance = kernel.T @ kernel + np.diag(np.exp(np.linspace(-3, -1, 6)))
    exact = tfp.distributions.MultivariateNormalTriL(
        mean.astype(np.float64), np.linalg.cholesky(covariance)
    )
    return posterior, exact


@pytest.mark.parametrize(
    ("count", "lowest", "highest"), [(1, 0.2, math.inf), (20_000, -0.02, 0.02)]
)
def test_the_bound_is_above_and_tight_with_many(count, lowest, highest):
    posterior, exact = made(count)
    samples, log_prob = posterior.sample(2000, randomness.key(3))
    assert [x.shape for x in samples] == [(2000, 2, 2), (2000, 2)]
    flat = np.concatenate([np.reshape(x, (2000, -1)) for x in samples], axis=1)
    # log q is overestimated on average, so that a KL made of it is.
    gaps = log_prob.numpy() - exact.log_prob(flat.astype(np.float64)).numpy()
    error = np.std(gaps) / math.sqrt(len(gaps))
    assert lowest - 4 * error < gaps.mean() < highest + 4 * error


def test_information_of_a_linear_generator():
    posterior, exact = made(1)
    found = posterior.information(2000, 20_000, randomness.key(4))
    noise = 0.5 * np.sum(np.linspace(-3, -1, 6) + math.log(2 * math.pi) + 1)
    expected = float(exact.entropy()) - noise
    assert found == pytest.approx(expected, abs=0.15)
    assert posterior.information(50, 1, randomness.key(4)) <= math.log(2)


def test_samples_go_on_where_others_ended():
    posterior, _ = made(3)
    key = randomness.key(1)
    whole, _ = posterior.sample(4, key)
    rest, _ = posterior.sample(2, key, first=2)
    for one, two in zip(whole, rest):
        np.testing.assert_allclose(one[2:], two, rtol=1e-6)

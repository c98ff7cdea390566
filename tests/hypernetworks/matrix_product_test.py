"""A hypernetwork of matrix products against plain NumPy."""

import math

import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import randomness
from bbh_tf.hypernetworks import MLP
from bbh_tf.hypernetworks import MatrixProduct

SHAPES = [(3, 4), (2, 2, 3, 5), (6,), ()]
every_shape = pytest.mark.parametrize("shape", SHAPES)


def built(shape, units=(3, 4), noise_dim=2):
    network = MatrixProduct(units)
    network.build(noise_dim, shape)
    generator = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(generator.standard_normal(variable.shape))
    return network


def noise(num_samples):
    return randomness.normal(randomness.key(1), num_samples, (2,))


@every_shape
def test_equals_plain_numpy(shape):
    network = built(shape)
    kernel, bias, *rest = (x.numpy() for x in network.trainable_variables)

    def leaky(x):
        return np.where(x > 0, x, 0.1 * x)

    z = noise(5)
    found = network(z)
    assert found.shape == (5, math.prod(shape))
    assert network.count_params() == network.count_parameters(2, shape)
    for one, flat in zip(z.numpy(), found):
        x = leaky(one @ kernel + bias).reshape(3, 3)
        x = leaky(rest[0] @ x @ rest[1] + rest[2])
        x = rest[3] @ x @ rest[4] + rest[5]
        columns = shape[-1] if len(shape) > 1 else 1
        assert x.shape[1] == columns
        np.testing.assert_allclose(flat, x.ravel(), rtol=1e-4, atol=1e-4)


def test_draws_differ_by_a_matrix_of_the_rank_said():
    network = built((30, 20), (2, 5))
    draws = network(noise(2)).numpy().reshape(2, 30, 20)
    # Each has another X: twice the rank.
    assert np.linalg.matrix_rank(draws[0] - draws[1], tol=1e-3) <= 10
    bias = network.trainable_variables[-1].numpy()
    assert np.linalg.matrix_rank(draws[0] - bias, tol=1e-3) == 5


def test_the_lenet_has_few_parameters_a_weight():
    shapes = [(5, 5, 1, 20), (5, 5, 20, 50), (800, 500), (500, 10)]
    weights = sum(map(math.prod, shapes))
    few, narrow = (
        sum(make.count_parameters(8, shape) for shape in shapes)
        for make in (MatrixProduct(), MLP((64, 256, 16)))
    )
    assert few < 1.5 * weights
    assert narrow > 17 * weights


@every_shape
def test_starts_around_given_weights(shape):
    network = built(shape)
    size = math.prod(shape)
    values = np.linspace(-1, 1, size).astype(np.float32)
    stds = np.full(size, 0.01, np.float32)
    network.start_at(values, stds)
    draws = network(noise(4000)).numpy()
    spread = draws.std(axis=0)
    # Moments are of 128 draws, with a tail.
    assert 0.007 < math.sqrt(np.mean(np.square(spread))) < 0.014
    np.testing.assert_allclose(draws.mean(axis=0), values, atol=0.005)


def test_gradients_reach_everything_and_bad_sizes_are_refused():
    network = built((3, 4))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(network(noise(3))))
    for gradient in tape.gradient(loss, network.trainable_variables):
        assert np.abs(gradient).max() > 0
    for units in ((), (3, 0), 5):
        with pytest.raises(ValueError, match="MatrixProduct expects units"):
            bbh.hypernetworks.MatrixProduct(units)

"""The auxiliary distribution, where the mean of its log-density is known."""

import math

import numpy as np
import pytest
import tensorflow as tf

from bbh_tf.layers.mnf_auxiliary import MNFAuxiliary

COUNT, DIM, COLUMNS = 20_000, 3, 4


@pytest.mark.parametrize("has_bias", [False, True])
def test_log_prob_without_flow(has_bias):
    auxiliary = MNFAuxiliary(tf.identity, num_flows=0, flow_units=2)
    auxiliary.build(DIM)
    generator = np.random.default_rng(0)
    c, b1, z = generator.normal(size=(3, DIM)).astype("float32")
    auxiliary.set_weights([c, b1, np.zeros(DIM)])
    shapes = [(DIM, COLUMNS), (DIM, 1)][: 1 + has_bias]
    means = [generator.normal(size=s).astype("float32") for s in shapes]
    variances = [generator.gamma(2, size=s).astype("float32") for s in shapes]
    num_columns = COLUMNS + has_bias
    assert auxiliary.noise_size(num_columns) == num_columns
    noise = generator.normal(size=(COUNT, num_columns)).astype("float32")
    found = auxiliary.log_prob(
        tf.tile(z[None], (COUNT, 1)), means, variances, noise
    ).numpy()

    # c . W is normal in each column, and so is the mean of the columns.
    mean = ((c * z) @ means[0]).mean()
    variance = (c**2 @ variances[0]).sum() / COLUMNS**2
    if has_bias:
        mean += ((c * z) @ means[1]).item()
        variance += (c**2 @ variances[1]).item()
    squares = (z - b1 * mean) ** 2 + b1**2 * variance
    exact = -0.5 * np.sum(squares + math.log(2 * math.pi))
    error = found.std() / math.sqrt(COUNT)
    assert abs(found.mean() - exact) < 4 * error
    # The variance of the weights counts for much.
    assert 0.5 * np.sum(b1**2) * variance > 20 * error


def test_noise_of_the_masks_comes_first():
    auxiliary = MNFAuxiliary(tf.tanh, num_flows=2, flow_units=4)
    auxiliary.build(DIM)
    assert auxiliary.noise_size(COLUMNS) == 2 * DIM + COLUMNS
    noise = np.random.default_rng(0).normal(size=(1, 2 * DIM + COLUMNS))
    noise[:, : 2 * DIM] = 1.0
    z = np.ones((1, DIM), "float32")
    matrices = [np.ones((DIM, COLUMNS), "float32")]
    kept = auxiliary.log_prob(z, matrices, matrices, noise.astype("float32"))
    noise[:, : 2 * DIM] = -1.0
    moved = auxiliary.log_prob(z, matrices, matrices, noise.astype("float32"))
    assert abs(kept - moved) > 0.1

"""The bound of MNF, trained where the evidence is known: linear regression."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from bbh_tf import randomness
from bbh_tf.layers import MNFDense

NOISE_VARIANCE = 0.25
_generator = np.random.default_rng(2)
X = _generator.normal(size=(8, 2)).astype("float32")
# The two weights cannot be told apart well.
X[:, 1] = X[:, 0] + 0.5 * X[:, 1]
Y = (X.sum(1) + 0.5 * _generator.normal(size=8)).astype("float32")


def log_evidence():
    """log p(Y | X) with N(0, 1) for both weights and the bias."""
    features = np.concatenate([X, np.ones((8, 1))], axis=1).astype(np.float64)
    covariance = features @ features.T + NOISE_VARIANCE * np.eye(8)
    _, log_det = np.linalg.slogdet(2 * np.pi * covariance)
    return -0.5 * (log_det + Y @ np.linalg.solve(covariance, Y))


def mean_field_gap():
    """How far the best factorised normal stays below the evidence."""
    features = np.concatenate([X, np.ones((8, 1))], axis=1).astype(np.float64)
    precision = features.T @ features / NOISE_VARIANCE + np.eye(3)
    _, log_det = np.linalg.slogdet(precision)
    return 0.5 * (np.log(np.diag(precision)).sum() - log_det)


def log_likelihood(layer, key, count):
    """log p(Y | X, W) under `count` draws of the weights."""
    kernel, bias = layer.draw(count, key).weights
    outputs = tf.einsum("ni,sij->sn", X, kernel) + bias
    return -0.5 * tf.reduce_sum(
        tf.square(Y - outputs) / NOISE_VARIANCE
        + math.log(2 * math.pi * NOISE_VARIANCE),
        axis=1,
    )


@pytest.fixture(scope="module")
def trained():
    keras.utils.set_random_seed(0)
    layer = MNFDense(1, max_std=None, initial_log_std=-1, flow_units=16)
    layer.build((None, 2))
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(0.03, 1500)
    )
    optimizer.build(layer.trainable_variables)

    @tf.function(jit_compile=True)
    def train():
        for number in tf.range(1500):
            with tf.GradientTape() as tape:
                key = randomness.key(1, number)
                likelihood = tf.reduce_mean(log_likelihood(layer, key, 4))
                loss = layer.kl(randomness.key(2, number)) - likelihood
            optimizer.apply(tape.gradient(loss, layer.trainable_variables))

    train()
    return layer


@pytest.fixture(scope="module")
def bound(trained):
    """Mean and standard error of the trained bound."""
    count = 20_000

    @tf.function(jit_compile=True)
    def estimates():
        return tf.map_fn(
            lambda number: trained.kl(randomness.key(3, number)),
            tf.range(count // 4),
            fn_output_signature=tf.float32,
        )

    kls = estimates().numpy()
    likelihoods = log_likelihood(trained, randomness.key(4), count).numpy()
    error = math.hypot(
        kls.std() / math.sqrt(len(kls)), likelihoods.std() / math.sqrt(count)
    )
    return likelihoods.mean() - kls.mean(), error


def test_it_is_below_the_evidence(bound):
    mean, error = bound
    assert error < 0.05
    assert mean < log_evidence() + 4 * error


def test_it_is_as_tight_as_a_factorised_normals(bound):
    mean, error = bound
    assert mean_field_gap() > 0.5
    assert mean > log_evidence() - mean_field_gap() - 0.3

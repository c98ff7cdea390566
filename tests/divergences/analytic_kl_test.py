"""The closed form of the KL, by hand and by TensorFlow Probability."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bbh_tf.divergences import AnalyticKL

tfd = tfp.distributions


def by_hand(mean, std, prior_std):
    mean, std = np.float64(mean), np.float64(std)
    return -0.5 * np.sum(
        1
        + np.log(std**2)
        - 2 * math.log(prior_std)
        - (std**2 + mean**2) / prior_std**2
    )


@pytest.fixture
def parameters():
    generator = np.random.default_rng(0)
    return [
        (
            generator.standard_normal(shape).astype(np.float32),
            generator.uniform(0.01, 3.0, shape).astype(np.float32),
        )
        for shape in ((4, 3), (), (5,))
    ]


@pytest.mark.parametrize("prior_std", [0.1, 1.0, 3.0])
def test_equals_the_formula(parameters, prior_std):
    posterior = [tfd.Normal(mean, std) for mean, std in parameters]
    prior = [tfd.Normal(0.0, prior_std)] * 3
    value = AnalyticKL()(posterior, prior)
    expected = sum(by_hand(mean, std, prior_std) for mean, std in parameters)
    assert float(value) == pytest.approx(expected, rel=1e-5)
    assert value.dtype == tf.float32
    assert value.shape == ()
    compiled = tf.function(
        lambda: AnalyticKL()(posterior, prior), jit_compile=True
    )
    assert float(compiled()) == pytest.approx(expected, rel=1e-5)


def test_equals_tfp_for_other_families():
    q = tfd.Gamma(np.float32([1.0, 2.0]), 3.0)
    p = tfd.Gamma(2.0, 1.0)
    assert float(AnalyticKL()(q, p)) == pytest.approx(
        float(tf.reduce_sum(tfd.kl_divergence(q, p))), rel=1e-6
    )


def test_is_zero_for_equal_distributions_alone():
    q = tfd.Normal([0.0, 1.0], [1.0, 2.0])
    assert float(AnalyticKL()([q], [q])) == 0.0
    wider = tfd.Normal([0.0, 1.0], [1.0, 2.1])
    assert float(AnalyticKL()([q], [wider])) > 0
    assert float(AnalyticKL()([wider], [q])) > 0


def test_a_scalar_prior_counts_once_a_weight():
    one = float(AnalyticKL()([tfd.Normal(0.5, 0.5)], [tfd.Normal(0.0, 1.0)]))
    many = AnalyticKL()(
        [tfd.Normal(tf.fill((3, 2), 0.5), 0.5)], [tfd.Normal(0.0, 1.0)]
    )
    assert float(many) == pytest.approx(6 * one, rel=1e-6)


def test_double_precision_comes_out_single():
    q = tfd.Normal(np.float64(0.5), np.float64(0.5))
    p = tfd.Normal(np.float64(0.0), np.float64(1.0))
    single = tfd.Normal(0.5, 0.5), tfd.Normal(0.0, 1.0)
    values = [AnalyticKL()([q], [p]), AnalyticKL()(*single)]
    assert [value.dtype for value in values] == [tf.float32, tf.float32]
    assert float(values[0]) == pytest.approx(float(values[1]), rel=1e-6)


def test_config_round_trip():
    config = json.loads(
        json.dumps(keras.saving.serialize_keras_object(AnalyticKL()))
    )
    copy = keras.saving.deserialize_keras_object(config)
    assert isinstance(copy, AnalyticKL)

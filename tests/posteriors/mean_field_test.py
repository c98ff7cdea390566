"""The factorised normal posterior."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bbh_tf import posteriors
from bbh_tf import randomness
from bbh_tf.divergences import AnalyticKL
from bbh_tf.divergences import KernelKL
from bbh_tf.layers import Bayesian
from bbh_tf.models import bayesify
from bbh_tf.posteriors import MeanField
from bbh_tf.weights import WeightSpec

SPECS = [
    WeightSpec("kernel", (4, 3)),
    WeightSpec("scale", ()),
    WeightSpec("bias", (3,)),
]


def built(specs=SPECS, **kwargs):
    posterior = MeanField(**kwargs)
    posterior.build(specs)
    return posterior


def spread(posterior, seed=0):
    """Gives the parameters values that tell them apart."""
    generator = np.random.default_rng(seed)
    for variable in posterior.trainable_variables:
        variable.assign(generator.normal(0, 1, variable.shape))
    values = posterior.get_weights()
    return list(zip(values[::2], values[1::2]))


def test_moments():
    posterior = built()
    parameters = spread(posterior)
    count = 2000
    samples, log_prob = posterior.sample(count, randomness.key(5))
    assert log_prob.shape == (count,)
    worst = []
    for sample, spec, (mean, log_variance) in zip(samples, SPECS, parameters):
        assert sample.shape == (count, *spec.shape)
        assert sample.dtype == tf.float32
        std = np.exp(log_variance / 2)
        sample = sample.numpy().astype(np.float64)
        worst.append(
            np.max(np.abs(sample.mean(0) - mean) / (std / math.sqrt(count)))
        )
        ratio = sample.std(0, ddof=1) / std
        worst.append(np.max(np.abs(ratio - 1)) * math.sqrt(2 * count))
    assert max(worst) < 4
    assert max(worst) > 1


def test_log_prob_is_that_of_tfp():
    posterior = built()
    parameters = spread(posterior)
    samples, log_prob = posterior.sample(6, randomness.key(5), position=3)
    assert log_prob.dtype == tf.float32
    assert posterior.has_density
    np.testing.assert_allclose(posterior.log_prob(samples), log_prob, rtol=1e-4)
    expected = 0.0
    for sample, (mean, log_variance) in zip(samples, parameters):
        normal = tfp.distributions.Normal(mean, np.exp(log_variance / 2))
        values = normal.log_prob(sample).numpy().astype(np.float64)
        expected = expected + values.reshape(6, -1).sum(1)
    np.testing.assert_allclose(log_prob, expected, rtol=1e-4, atol=1e-4)


def test_initial_values():
    posterior = built([WeightSpec("kernel", (400, 250))])
    mean, log_variance = posterior.get_weights()
    count = mean.size
    # Truncated at two standard deviations.
    width = (
        0.05
        * tfp.distributions.TruncatedNormal(
            np.float64(0), 1.0, -2.0, 2.0
        ).stddev()
    )
    assert abs(log_variance.mean() + 9) < 4 * width / math.sqrt(count)
    assert log_variance.std() == pytest.approx(float(width), rel=0.01)
    assert np.abs(log_variance + 9).max() <= 0.1 + 1e-5
    assert np.abs(log_variance + 9).max() > 0.099
    assert abs(mean.mean()) < 4 * 0.05 / math.sqrt(count)
    assert mean.std() == pytest.approx(math.sqrt(1 / 400), rel=0.01)
    other = built([WeightSpec("kernel", (400, 250))]).get_weights()
    assert not np.allclose(other[0], mean)
    assert not np.allclose(other[1], log_variance)


def test_initial_log_variance():
    posterior = built(initial_log_variance=-3)
    for log_variance in posterior.get_weights()[1::2]:
        assert np.abs(log_variance + 3).max() <= 0.1 + 1e-6
    samples, _ = built(initial_log_variance=-30).sample(9, randomness.key(0))
    assert 0 < np.std(samples[0], axis=0).max() < 1e-6


def test_mean_initializer():
    posterior = built(mean_initializer="ones")
    assert all((mean == 1).all() for mean in posterior.get_weights()[::2])
    seeded = keras.initializers.RandomNormal(seed=4)
    twins = [WeightSpec("one", (3, 2)), WeightSpec("two", (3, 2))]
    values = [
        built(twins, mean_initializer=seeded).get_weights()[::2]
        for _ in range(2)
    ]
    np.testing.assert_array_equal(values[0], values[1])
    assert not np.isclose(values[0][0], values[0][1]).any()


def test_distributions():
    posterior = built()
    parameters = spread(posterior)
    found = posterior.distributions()
    assert len(found) == 3
    for distribution, spec, (mean, log_variance) in zip(
        found, SPECS, parameters
    ):
        assert tuple(distribution.batch_shape) == spec.shape
        np.testing.assert_array_equal(distribution.mean(), mean)
        np.testing.assert_allclose(
            distribution.stddev(), np.exp(log_variance / 2), rtol=1e-6
        )


def test_analytic_kl_is_the_mean_of_the_log_ratio():
    posterior = built()
    spread(posterior)
    standard = tfp.distributions.Normal(0.0, 1.0)
    exact = AnalyticKL()(posterior.distributions(), [standard] * 3)
    samples, log_prob = posterior.sample(1000, randomness.key(2))
    log_prior = sum(
        tf.reduce_sum(tf.reshape(standard.log_prob(x), (1000, -1)), 1)
        for x in samples
    )
    ratio = (log_prob - log_prior).numpy().astype(np.float64)
    error = ratio.std() / math.sqrt(1000)
    assert abs(ratio.mean() - float(exact)) < 4 * error
    assert error < 0.05 * float(exact)


@pytest.mark.parametrize("estimate", [AnalyticKL(), KernelKL()])
def test_gradient_reaches_means_and_log_variances(estimate):
    posterior = built()
    spread(posterior)
    with tf.GradientTape() as tape:
        if isinstance(estimate, AnalyticKL):
            standard = tfp.distributions.Normal(0.0, 1.0)
            loss = estimate(posterior.distributions(), [standard] * 3)
        else:
            samples, _ = posterior.sample(5, randomness.key(2))
            prior = [
                tf.random.stateless_normal(x.shape, (1, 2)) for x in samples
            ]
            loss = estimate(samples, prior)
    variables = posterior.trainable_variables
    assert len(variables) == 6
    gradients = tape.gradient(loss, variables)
    for k, (variable, gradient) in enumerate(zip(variables, gradients)):
        assert np.all(np.asarray(gradient) != 0), variable.path
        if isinstance(estimate, AnalyticKL):
            value = variable.numpy()
            expected = value if k % 2 == 0 else 0.5 * (np.exp(value) - 1)
            np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)


def test_gradient_of_samples():
    posterior = built([WeightSpec("kernel", (3,))])
    ((_, log_variance),) = spread(posterior)
    with tf.GradientTape() as tape:
        (sample,), _ = posterior.sample(1, randomness.key(2))
        total = tf.reduce_sum(sample)
    mean = posterior.get_weights()[0]
    to_mean, to_log_variance = tape.gradient(
        total, posterior.trainable_variables
    )
    np.testing.assert_allclose(to_mean, 1.0)
    np.testing.assert_allclose(
        to_log_variance, 0.5 * (sample[0] - mean), rtol=1e-4, atol=1e-6
    )
    assert log_variance.shape == (3,)


def test_samples_depend_on_key_position_and_index():
    posterior = built()
    key = randomness.key(9)
    five, log_prob = posterior.sample(5, key, 2)
    later, later_log_prob = posterior.sample(2, key, 2, first=3)
    again, _ = posterior.sample(5, key, 2)
    for other, position in ((key, 1), (randomness.key(8), 2)):
        different, _ = posterior.sample(5, other, position)
        assert (different[0].numpy() != five[0].numpy()).any()
    for k in range(3):
        np.testing.assert_array_equal(five[k], again[k])
        np.testing.assert_array_equal(five[k][3:], later[k])
    np.testing.assert_allclose(log_prob[3:], later_log_prob, rtol=1e-6)


def test_tensors_are_independent():
    posterior = built([WeightSpec("a", (300,)), WeightSpec("b", (300,))])
    (a, b), _ = posterior.sample(4, randomness.key(1))
    means = posterior.get_weights()[::2]
    a, b = ((x.numpy() - mean).ravel() for x, mean in zip((a, b), means))
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / math.sqrt(1200)


def test_counts_and_report():
    posterior = built()
    assert posterior.count_params() == 32
    assert MeanField().count_parameters(SPECS) == 32
    report = posterior.parameter_report()
    assert [row[1:] for row in report] == [(12, 24), (1, 2), (3, 6)]
    assert "kernel" in report[0][0]


def test_config_round_trip():
    posterior = MeanField(-3, keras.initializers.RandomNormal(0.0, 0.1, 7))
    config = json.loads(
        json.dumps(keras.saving.serialize_keras_object(posterior))
    )
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is MeanField
    assert copy.get_config() == posterior.get_config()
    for one in (posterior, copy):
        one.build(SPECS)
    for a, b in zip(posterior.get_weights()[::2], copy.get_weights()[::2]):
        np.testing.assert_array_equal(a, b)
    assert posteriors.get(MeanField()).get_config() == {
        "initial_log_variance": -9.0,
        "mean_initializer": None,
        "kernels_only": False,
    }


def test_biases_may_stay_point_estimates():
    posterior = MeanField(kernels_only=True)
    assert [posterior.replaces(x) for x in SPECS] == [True, False, False]
    assert all(MeanField().replaces(spec) for spec in SPECS)
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    random = bayesify(network, posterior).layers[0]
    assert [v.name for v in random.replaced_variables] == ["kernel"]
    # The bias is trained as it is; a draw leaves it alone.
    names = [v.name for v in random.trainable_variables]
    assert sorted(names) == ["bias", "kernel_log_variance", "kernel_mean"]
    assert posteriors.get(posterior).kernels_only
    with pytest.raises(ValueError, match="kernels_only to be True or False"):
        MeanField(kernels_only="kernel")


@pytest.mark.parametrize("policy", ["mixed_float16", "float16"])
def test_float32_under_any_policy(policy):
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        posterior = built()
        samples, log_prob = posterior.sample(2, randomness.key(1))
    finally:
        keras.config.set_dtype_policy(previous)
    assert {v.dtype for v in posterior.variables} == {"float32"}
    assert {x.dtype for x in [*samples, log_prob]} == {tf.float32}


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (1, 1, 3, 4), (1,), ()])
@pytest.mark.parametrize("num_samples", [1, 3])
def test_axes_of_size_1_stay(shape, num_samples):
    posterior = MeanField()
    posterior.build([WeightSpec("kernel", shape)])
    (sample,), log_prob = posterior.sample(num_samples, randomness.key(0))
    assert sample.shape == (num_samples, *shape)
    assert log_prob.shape == (num_samples,)


@pytest.mark.parametrize(
    "make, input_shape, fan_ins",
    [
        (lambda: keras.layers.Dense(60), (40,), [40, 60]),
        (lambda: keras.layers.GRU(64), (5, 32), [32, 64, 2 * 3 * 64]),
        (lambda: keras.layers.DepthwiseConv2D(3), (8, 8, 512), [9, 512]),
        (lambda: keras.layers.Conv2DTranspose(16, 3), (8, 8, 64), [576, 16]),
        (
            lambda: keras.layers.EinsumDense(
                "btc,chd->bthd", (None, 8, 16), bias_axes="hd"
            ),
            (5, 64),
            [64, 128],
        ),
    ],
    ids=["Dense", "GRU", "DepthwiseConv2D", "Conv2DTranspose", "EinsumDense"],
)
def test_means_start_with_the_variance_of_their_fan_in(
    make, input_shape, fan_ins
):
    keras.utils.set_random_seed(0)
    layer = Bayesian(make(), MeanField())
    layer.build((None, *input_shape))
    means = layer.posterior.get_weights()[::2]
    for mean, fan_in in zip(means, fan_ins, strict=True):
        # The fourth moment is that of a normal which is truncated at 2.
        error = math.sqrt((2.37 - 1) / mean.size) / fan_in
        assert abs(np.mean(np.square(mean)) - 1 / fan_in) < 4 * error


def test_means_of_usual_kernels_start_as_keras_starts_them():
    for shape in [(5, 4), (3, 3, 2, 7), (9,), ()]:
        keras.utils.set_random_seed(1)
        posterior = MeanField()
        posterior.build([WeightSpec("w", shape)])
        keras.utils.set_random_seed(1)
        expected = keras.initializers.VarianceScaling()(shape)
        np.testing.assert_array_equal(posterior.get_weights()[0], expected)

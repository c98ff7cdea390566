"""A linear layer in blocks is a linear layer."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from bbh_tf.hypernetworks import blocked_dense


@pytest.fixture(autouse=True)
def narrow_blocks(monkeypatch):
    monkeypatch.setattr(blocked_dense, "_BLOCK_BYTES", 4 * 60 * 100)


def built(units, initializer="glorot_uniform", num_inputs=60):
    layer = blocked_dense.BlockedDense(units, initializer)
    layer.build((None, num_inputs))
    return layer


def parts(layer):
    kernels = [kernel.numpy() for kernel in layer._kernels]
    return kernels, [layer._bias.numpy()]


@pytest.mark.parametrize(
    ("units", "widths"),
    [(1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])],
)
def test_equals_one_product(units, widths):
    layer = built(units)
    assert [kernel.shape[1] for kernel in layer._kernels] == widths
    assert layer.count_params() == 61 * units
    generator = np.random.default_rng(0)
    for variable in layer.trainable_variables:
        variable.assign(generator.standard_normal(variable.shape))
    kernels, biases = parts(layer)
    x = generator.standard_normal((3, 60)).astype(np.float32)
    expected = x @ np.concatenate(kernels, 1) + np.concatenate(biases)
    found = layer(x)
    assert found.shape == (3, units)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "fan"),
    [
        ("glorot_uniform", (60 + 1000) / 2),
        ("glorot_normal", (60 + 1000) / 2),
        ("lecun_normal", 60),
        ("he_uniform", 60 / 2),
        (keras.initializers.VarianceScaling(1.0, "fan_out"), 1000),
    ],
    ids=["glorot_uniform", "glorot_normal", "lecun", "he", "fan_out"],
)
def test_starts_as_the_whole_layer_does(name, fan):
    kernels, biases = parts(built(1000, name))
    assert len(kernels) == 10
    assert not np.concatenate(biases).any()
    values = np.concatenate(kernels, 1)
    error = 1 / math.sqrt(values.size)
    assert abs(values.mean()) < 4 * error / math.sqrt(fan)
    # No less than what a normal's variance is uncertain by.
    ratio = values.var() * fan
    assert abs(ratio - 1) < 4 * math.sqrt(2) * error
    whole = keras.initializers.get(name)((60, 1000))
    assert np.abs(values).max() == pytest.approx(
        np.abs(whole).max(), rel=0.03 if "uniform" in str(name) else 0.5
    )


def test_blocks_differ_and_a_seed_repeats_them():
    def values(seed):
        return parts(built(300, keras.initializers.GlorotUniform(seed=seed)))[0]

    for seed in (None, 3):
        one, two, three = values(seed)
        assert not np.isclose(one, two).all(0).any()
        assert not np.isclose(two, three).all(0).any()
    np.testing.assert_array_equal(values(3), values(3))
    assert not np.allclose(values(3), values(4))


def test_a_step_reaches_every_block():
    layer = built(250)
    x = tf.random.stateless_normal((4, 60), (0, 1))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(x) - 1.0))
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert len(gradients) == 4
    assert all(np.abs(gradient).min() > 0 for gradient in gradients)


def test_other_initializers_pass():
    kernels, _ = parts(built(250, "ones"))
    assert all((kernel == 1).all() for kernel in kernels)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_gradients_equal_those_of_one_product(mode):
    layer = built(250)
    kernels, _ = parts(layer)
    generator = np.random.default_rng(1)
    x = tf.constant(generator.standard_normal((3, 60)), tf.float32)
    target = tf.constant(generator.standard_normal((3, 250)), tf.float32)

    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.square(layer(x) - target))
        variables = [v.value for v in layer.trainable_variables]
        return tape.gradient(loss, [x, *variables])

    if mode != "eager":
        gradients = tf.function(gradients, jit_compile=mode == "xla")
    to_x, *to_kernels, to_bias = gradients(x)
    kernel = tf.constant(np.concatenate(kernels, 1))
    upstream = 2 * (x @ kernel - target)
    np.testing.assert_allclose(to_bias, tf.reduce_sum(upstream, 0), 1e-4, 1e-4)
    np.testing.assert_allclose(
        tf.concat(to_kernels, 1), tf.transpose(x) @ upstream, 1e-4, 1e-4
    )
    np.testing.assert_allclose(
        to_x, upstream @ tf.transpose(kernel), 1e-4, 1e-4
    )

"""What holds for every hypernetwork."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from bbh_tf.divergences import KernelKL
from bbh_tf.hypernetworks import MLP
from bbh_tf.hypernetworks import Sliced

KINDS = {
    "mlp": (MLP, (3, 4, 2)),
    "output": (Sliced, (3, 4, 2)),
    "chunks": (lambda **k: Sliced("chunks", **k), (3, 4, 2)),
    "integer": (lambda **k: Sliced(5, **k), (3, 4, 2)),
    "bias": (Sliced, (6,)),
    "scalar": (MLP, ()),
}
kinds = pytest.mark.parametrize("kind", list(KINDS))


def built(kind, noise_dim=2, **kwargs):
    make, shape = KINDS[kind]
    network = make(**{"units": (7, 9), **kwargs})
    network.build(noise_dim, shape)
    return network


def noise(num_samples, noise_dim=2, seed=0):
    generator = np.random.default_rng(seed)
    return tf.constant(
        generator.standard_normal((num_samples, noise_dim)), tf.float32
    )


def randomize(network, seed=0):
    generator = np.random.default_rng(seed)
    for variable in network.trainable_variables:
        variable.assign(generator.standard_normal(variable.shape))


@kinds
def test_shape_dtype_and_count(kind):
    network = built(kind)
    shape = KINDS[kind][1]
    flat = network(noise(5))
    assert flat.shape == (5, math.prod(shape))
    assert flat.dtype == tf.float32
    assert network.count_params() == network.count_parameters(2, shape)
    assert len(network.trainable_variables) == 6
    assert np.isfinite(flat).all()


@kinds
def test_equals_plain_numpy_sample_by_sample_and_slice_by_slice(kind):
    network = built(kind)
    randomize(network)
    shape = KINDS[kind][1]
    num_slices, slice_size = network.slicing(shape)
    arrays = [variable.numpy() for variable in network.trainable_variables]
    z = noise(3).numpy()
    slices = np.empty((3, num_slices, slice_size))
    for sample in range(3):
        for c in range(num_slices):
            code = np.zeros(num_slices)
            code[c] = 1
            hidden = np.concatenate([z[sample], code])
            for layer in range(3):
                hidden = hidden @ arrays[2 * layer] + arrays[2 * layer + 1]
                if layer < 2:
                    hidden = np.where(hidden > 0, hidden, 0.1 * hidden)
            slices[sample, c] = hidden
    joined = network.join(tf.constant(slices, tf.float32), shape)
    np.testing.assert_allclose(network(z), joined, rtol=1e-4, atol=1e-4)


@kinds
def test_samples_do_not_look_at_each_other(kind):
    network = built(kind)
    z = noise(4)
    together = network(z)
    for sample in range(4):
        alone = network(z[sample : sample + 1])
        np.testing.assert_allclose(
            together[sample], alone[0], rtol=1e-5, atol=1e-6
        )


def test_initial_values():
    network = MLP(units=(300, 400))
    network.build(100, (500,))
    for dense in network._stack:
        kernel, bias = (variable.numpy() for variable in dense.weights)
        bound = math.sqrt(6 / sum(kernel.shape))
        assert not bias.any()
        assert np.abs(kernel).max() <= bound
        assert np.abs(kernel).max() > 0.999 * bound
        error = 1 / math.sqrt(kernel.size)
        assert abs(kernel.mean()) < 4 * bound / math.sqrt(3) * error
        # The relative standard error of a uniform variable's variance.
        ratio = kernel.var() / (bound**2 / 3)
        assert abs(ratio - 1) < 4 * math.sqrt(0.8) * error


class Caller(keras.layers.Layer):
    """A layer of the global policy, which casts what it is given."""

    def __init__(self, network):
        super().__init__(autocast=False)
        self.network = network

    def call(self, z):
        return self.network(z)


@pytest.mark.parametrize("policy", ["mixed_float16", "float16", "float64"])
@kinds
def test_float32_under_any_policy(kind, policy):
    network = built(kind)
    expected = network(noise(3)).numpy()
    values = network.get_weights()
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        copy = built(kind)
        copy.set_weights(values)
        found = Caller(copy)(noise(3))
        assert {v.dtype for v in copy.variables} == {"float32"}
    finally:
        keras.config.set_dtype_policy(previous)
    assert found.dtype == tf.float32
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("through_kl", [False, True])
@kinds
def test_a_step_moves_every_variable(kind, through_kl):
    network = built(kind)
    shape = KINDS[kind][1]
    z = noise(5)
    prior = tf.random.stateless_normal((5, math.prod(shape)), (1, 2))
    target = tf.random.stateless_normal((math.prod(shape),), (3, 4))
    with tf.GradientTape() as tape:
        flat = network(z)
        if through_kl:
            loss = KernelKL()(flat, prior)
        else:
            loss = tf.reduce_sum(tf.square(flat - target))
    gradients = tape.gradient(loss, network.trainable_variables)
    for variable, gradient in zip(network.trainable_variables, gradients):
        assert gradient is not None, variable.path
        gradient = np.asarray(gradient)
        assert np.isfinite(gradient).all(), variable.path
        assert np.abs(gradient).max() > 0, variable.path
    before = network.get_weights()
    keras.optimizers.Adam(1e-2).apply(gradients, network.trainable_variables)
    for old, variable in zip(before, network.trainable_variables):
        assert np.abs(variable.numpy() - old).max() > 1e-3, variable.path


@kinds
def test_is_not_linear_in_the_noise(kind):
    network = built(kind, units=(64, 64))
    one, two = noise(20, seed=1), noise(20, seed=2)
    together = network(one + two) + network(tf.zeros_like(one))
    apart = network(one) + network(two)
    gap = np.abs(together - apart).max() / np.std(apart)
    assert gap > 0.1
    # And it would show if it were.
    linear = built(kind, units=(64, 64), activation="linear")
    together = linear(one + two) + linear(tf.zeros_like(one))
    apart = linear(one) + linear(two)
    assert np.abs(together - apart).max() / np.std(apart) < 1e-4


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        (None, lambda x: np.where(x > 0, x, 0.1 * x)),
        ("relu", lambda x: np.maximum(x, 0)),
        ("tanh", np.tanh),
        (keras.activations.softplus, lambda x: np.log1p(np.exp(x))),
    ],
    ids=["default", "name", "another name", "function"],
)
def test_activations(activation, function):
    network = MLP(units=(6,), activation=activation)
    network.build(2, (3,))
    randomize(network)
    first, first_bias, last, last_bias = network.get_weights()
    z = noise(4).numpy()
    hidden = np.concatenate([z, np.ones((4, 1))], 1) @ first + first_bias
    expected = function(hidden) @ last + last_bias
    np.testing.assert_allclose(network(z), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "network",
    [
        MLP(),
        MLP(units=[4, 5], activation="tanh"),
        MLP(activation=keras.activations.relu, kernel_initializer="he_normal"),
        Sliced(),
        Sliced("chunks", units=(3,)),
        Sliced(
            130,
            kernel_initializer=keras.initializers.RandomNormal(0.0, 0.1, 7),
        ),
    ],
    ids=lambda network: network.name,
)
def test_config_round_trip(network):
    config = json.loads(
        json.dumps(keras.saving.serialize_keras_object(network))
    )
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is type(network)
    assert copy.get_config() == network.get_config()
    for one in (network, copy):
        one.build(2, (3, 4))
    assert [w.shape for w in copy.weights] == [w.shape for w in network.weights]
    copy.set_weights(network.get_weights())
    np.testing.assert_array_equal(copy(noise(2)), network(noise(2)))


def test_seeded_kernels_repeat_and_differ_from_each_other():
    def kernels(seed):
        network = MLP(
            units=(8, 8, 8),
            kernel_initializer=keras.initializers.GlorotUniform(seed=seed),
        )
        network.build(7, (8,))
        return [v.numpy() for v in network.trainable_variables[::2]]

    one, two = kernels(3), kernels(3)
    for a, b in zip(one, two):
        np.testing.assert_array_equal(a, b)
    for i in range(4):
        for j in range(i):
            assert not np.allclose(one[i], one[j])
    assert not np.allclose(one[0], kernels(4)[0])


def test_a_function_serves_as_initializer():
    network = MLP(units=(2,), kernel_initializer=halves)
    network.build(1, (3,))
    for kernel in network.get_weights()[::2]:
        assert (kernel == 0.5).all()


def halves(shape, dtype=None):
    return tf.fill(shape, 0.5)


def test_no_hidden_layer_is_an_affine_map():
    network = MLP(units=())
    network.build(3, (4,))
    assert network.count_params() == network.count_parameters(3, (4,)) == 20


def test_eager_graph_and_xla_agree():
    network = built("output")
    expected = network(noise(5))
    for jit_compile in (False, True):
        found = tf.function(network, jit_compile=jit_compile)(noise(5))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)

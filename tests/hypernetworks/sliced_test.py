"""Which weights a slice code stands for."""

import numpy as np
import pytest
import tensorflow as tf

from bbh_tf.hypernetworks import Sliced

LENET_KERNELS = [(5, 5, 1, 20), (5, 5, 20, 50), (800, 500), (500, 10)]
LENET_BIASES = [(20,), (50,), (500,), (10,)]


@pytest.mark.parametrize("slices", ["output", "chunks"])
def test_count_of_lenet_is_the_authors(slices):
    network = Sliced(slices)
    assert [network.slicing(shape) for shape in LENET_KERNELS] == [
        (20, 25),
        (50, 500),
        (500, 800),
        (10, 500),
    ]
    assert [network.slicing(shape) for shape in LENET_BIASES] == [
        (1, 20),
        (1, 50),
        (1, 500),
        (1, 10),
    ]
    counts = [
        network.count_parameters(1, shape)
        for shape in LENET_KERNELS + LENET_BIASES
    ]
    assert sum(counts) == 2_457_957


def test_counts_of_one_network_for_everything():
    network = Sliced(130)
    assert network.slicing((431_080,)) == (130, 3316)
    assert network.count_parameters(1, (431_080,)) == 1_857_780
    assert Sliced(231).slicing((462_693,)) == (231, 2003)


@pytest.mark.parametrize(
    ("slices", "shape", "expected"),
    [
        (4, (3, 4), (4, 3)),
        (5, (3, 4), (5, 3)),
        (4, (10,), (4, 3)),
        (100, (3, 4), (12, 1)),
        (1, (3, 4), (1, 12)),
        (3, (), (1, 1)),
        ("output", (), (1, 1)),
        ("output", (2, 3, 4), (4, 6)),
    ],
)
def test_slicing(slices, shape, expected):
    assert Sliced(slices).slicing(shape) == expected


def moved_by(network, shape, num_slices):
    """Which weights change when the code of one slice does, for each."""
    network.build(1, shape)
    noise = tf.constant([[0.7], [-0.4]])
    before = network(noise).numpy().reshape(2, *shape)
    kernel = network.trainable_variables[0]
    value = kernel.numpy()
    moved = []
    for c in range(num_slices):
        changed = value.copy()
        changed[1 + c] += 1.0
        kernel.assign(changed)
        after = network(noise).numpy().reshape(2, *shape)
        moved.append((after != before).all(0))
        # Of one slice everything changes, of the others nothing.
        np.testing.assert_array_equal((after != before).any(0), moved[-1])
    kernel.assign(value)
    return moved


@pytest.mark.parametrize("shape", [(3, 4), (2, 2, 3, 5)])
def test_an_output_slice_is_one_index_of_the_last_axis(shape):
    num_slices = shape[-1]
    network = Sliced("output", units=(16,), activation="tanh")
    for c, moved in enumerate(moved_by(network, shape, num_slices)):
        expected = np.zeros(shape, bool)
        expected[..., c] = True
        np.testing.assert_array_equal(moved, expected)


@pytest.mark.parametrize("slices", ["chunks", 4, 5])
def test_a_chunk_is_a_contiguous_run(slices):
    shape = (3, 4)
    network = Sliced(slices, units=(16,), activation="tanh")
    num_slices, slice_size = network.slicing(shape)
    for c, moved in enumerate(moved_by(network, shape, num_slices)):
        expected = np.zeros(12, bool)
        expected[c * slice_size : (c + 1) * slice_size] = True
        np.testing.assert_array_equal(moved.ravel(), expected)


def test_the_tail_is_dropped():
    network = Sliced(4, units=(8,), activation="tanh")
    moved = moved_by(network, (10,), 4)
    assert [int(m.sum()) for m in moved] == [3, 3, 3, 1]


def test_slices_share_their_noise():
    # With equal codes all slices are equal: nothing else tells them apart.
    network = Sliced("output", units=(8,))
    network.build(2, (3, 4))
    kernel = network.trainable_variables[0]
    value = kernel.numpy()
    value[2:] = value[2]
    kernel.assign(value)
    noise = tf.random.stateless_normal((5, 2), (0, 1))
    weights = network(noise).numpy().reshape(5, 3, 4)
    np.testing.assert_allclose(weights, weights[..., :1] + 0 * weights)
    assert np.std(weights, axis=0).min() > 1e-3


def plainly(network, noise, shape):
    """Applies the stack to the noise joined to each one-hot code."""
    num_slices, slice_size = network.slicing(shape)
    codes = tf.tile(tf.eye(num_slices), (len(noise), 1))
    rows = tf.concat([tf.repeat(noise, num_slices, axis=0), codes], axis=1)
    for dense in network._stack:
        rows = dense(rows)
    slices = tf.reshape(rows, (len(noise), num_slices, slice_size))
    return network.join(slices, shape)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize(
    ("slices", "units", "activation"),
    [
        ("output", (7, 9), None),
        ("chunks", (7,), "tanh"),
        (5, (7, 9), None),
        (1, (7,), None),
        (5, (), None),
    ],
)
def test_weights_and_gradients_are_those_of_plain_codes(
    slices, units, activation, mode
):
    shape = (3, 4)
    network = Sliced(slices, units, activation)
    network.build(2, shape)
    generator = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(generator.standard_normal(variable.shape))
    noise = tf.constant(generator.standard_normal((3, 2)), tf.float32)
    target = tf.constant(generator.standard_normal((3, 12)), tf.float32)
    variables = [variable.value for variable in network.trainable_variables]

    def weights_and_gradients(generate):
        with tf.GradientTape() as tape:
            tape.watch(noise)
            flat = generate(noise)
            loss = tf.reduce_mean(tf.square(flat - target))
        return [flat, *tape.gradient(loss, [noise, *variables])]

    expected = weights_and_gradients(lambda z: plainly(network, z, shape))
    found = weights_and_gradients
    if mode != "eager":
        found = tf.function(found, jit_compile=mode == "xla")
    for ours, theirs in zip(found(network), expected, strict=True):
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5 * scale)


def test_no_tensor_grows_with_the_square_of_the_slices():
    num_samples, num_slices, width = 2, 2000, 4
    network = Sliced(num_slices, units=(width,))
    network.build(1, (num_slices, 3))
    variables = [variable.value for variable in network.trainable_variables]

    @tf.function
    def gradients(noise):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(network(noise)))
        return tape.gradient(loss, variables)

    graph = gradients.get_concrete_function(tf.zeros((num_samples, 1))).graph
    sizes = [
        output.shape.num_elements()
        for operation in graph.get_operations()
        for output in operation.outputs
        if output.shape.is_fully_defined()
    ]
    assert max(sizes) == num_samples * num_slices * width

"""Layouts of weights, against indexing written out."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bbh_tf import weights

SHAPES = [(2, 3), (), (4,), (2, 1, 3, 2)]


@pytest.mark.parametrize(
    ("shape", "size", "role", "output_axes"),
    [
        ((5, 4, 2, 3), 120, "kernel", (3,)),
        ((3,), 3, "bias", (0,)),
        ((), 1, "bias", ()),
    ],
)
def test_specs(shape, size, role, output_axes):
    spec = weights.WeightSpec("weights", shape)
    assert spec.size == size
    assert spec.role == role
    assert spec.output_axes == output_axes


def test_unflatten_cuts_in_order_and_row_by_row():
    flat = np.arange(2 * 23, dtype=np.float32).reshape(2, 23)
    tensors = weights.unflatten(tf.constant(flat), SHAPES)
    start = 0
    for tensor, shape in zip(tensors, SHAPES):
        size = int(np.prod(shape))
        expected = flat[:, start : start + size].reshape(2, *shape)
        np.testing.assert_array_equal(tensor, expected)
        start += size
    np.testing.assert_array_equal(weights.flatten(tensors), flat)


def test_join_output_slices():
    shape = (2, 3, 4)
    slices = np.arange(5 * 4 * 6, dtype=np.float32).reshape(5, 4, 6)
    flat = weights.join_output_slices(tf.constant(slices))
    tensor = np.reshape(flat, (5, *shape))
    for c in range(4):
        np.testing.assert_array_equal(
            tensor[..., c], slices[:, c].reshape(5, 2, 3)
        )


@pytest.mark.parametrize("num_weights", [12, 11, 9])
def test_join_chunks(num_weights):
    chunks = np.arange(2 * 4 * 3, dtype=np.float32).reshape(2, 4, 3)
    flat = weights.join_chunks(tf.constant(chunks), num_weights)
    for sample in range(2):
        expected = np.concatenate(list(chunks[sample]))[:num_weights]
        np.testing.assert_array_equal(flat[sample], expected)


def values(initializer, index):
    return np.asarray(weights.fresh_initializer(initializer, index)((3, 4)))


def test_unseeded_initializers_differ():
    initializer = keras.initializers.GlorotUniform()
    assert not np.allclose(values(initializer, 0), values(initializer, 0))


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: keras.initializers.GlorotUniform(seed=seed),
        lambda seed: keras.initializers.RandomNormal(0.5, 2.0, seed=seed),
        lambda seed: keras.initializers.HeNormal(
            seed=keras.random.SeedGenerator(seed)
        ),
    ],
    ids=["integer", "with arguments", "generator"],
)
def test_seeded_initializers_repeat_and_differ(make):
    first = values(make(3), 0)
    np.testing.assert_array_equal(values(make(3), 0), first)
    assert not np.allclose(values(make(3), 1), first)
    assert not np.allclose(values(make(4), 0), first)


def test_initializers_keep_their_arguments():
    initializer = keras.initializers.RandomNormal(0.5, 2.0, seed=3)
    copy = weights.fresh_initializer(initializer, 5)
    assert (copy.mean, copy.stddev) == (0.5, 2.0)
    constant = weights.fresh_initializer(keras.initializers.Constant(0.25), 1)
    np.testing.assert_array_equal(constant((2,)), [0.25, 0.25])


def test_a_function_serves_as_it_is():
    def ones(shape, dtype=None):
        return np.ones(shape)

    assert weights.fresh_initializer(ones, 1) is ones

"""Noise of single examples: what Keras draws, and the same under XLA."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import randomness

_SAMPLERS = {
    "uniform": randomness.example_uniform,
    "normal": randomness.example_normal,
}


@pytest.mark.parametrize("name", sorted(_SAMPLERS))
@pytest.mark.parametrize("shape", [(7, 33), (5,), (3, 1, 1), (0, 4)])
def test_numbers_are_those_of_keras_and_go_on(name, shape):
    ours, theirs = (keras.random.SeedGenerator(2**31 + 3) for _ in "ab")
    for _ in range(2):
        np.testing.assert_allclose(
            _SAMPLERS[name](shape, ours),
            getattr(keras.random, name)(shape, dtype="float32", seed=theirs),
            rtol=1e-5,
            atol=1e-6,
        )


@pytest.mark.parametrize("name", sorted(_SAMPLERS))
def test_numbers_are_the_same_under_xla(name):
    one, other = (keras.random.SeedGenerator(5) for _ in "ab")

    def sample(like):
        # The size of a batch is not known where a model is traced.
        return _SAMPLERS[name](tf.shape(like), other)

    compiled = tf.function(
        sample,
        jit_compile=True,
        input_signature=[tf.TensorSpec((None, 7, 3))],
    )
    for size in (9, 4):
        np.testing.assert_allclose(
            _SAMPLERS[name]((size, 7, 3), one),
            compiled(tf.zeros((size, 7, 3))),
            rtol=1e-5,
            atol=1e-6,
        )


def test_the_least_uniform_number_makes_no_infinite_one(monkeypatch):
    monkeypatch.setattr(
        "bbh_tf.randomness.example_noise.tf.random.stateless_uniform",
        lambda count, *args, **kwargs: tf.zeros(count, tf.int32),
    )
    found = randomness.example_normal((2,), keras.random.SeedGenerator(1))
    np.testing.assert_allclose(found, [0.0, np.sqrt(-2.0 * np.log(1e-7))])


@pytest.mark.parametrize("noise_shape", [None, (None, 1, 3)])
def test_masks_of_dropout_are_the_same_under_xla(noise_shape):
    inputs = tf.random.stateless_normal((6, 5, 3), seed=(1, 2))

    def dropout(function):
        layer = bbh.layers.MCDropout(0.3, noise_shape, seed=4)
        layer.build((None, 5, 3))
        return function(layer)(inputs).numpy()

    wanted = keras.random.dropout(
        inputs,
        0.3,
        None if noise_shape is None else (6, 1, 3),
        keras.random.SeedGenerator(4),
    )
    here = dropout(lambda layer: layer)
    assert 0 < np.mean(here == 0) < 1
    np.testing.assert_array_equal(here, wanted)
    compiled = dropout(lambda layer: tf.function(layer, jit_compile=True))
    np.testing.assert_allclose(compiled, here, rtol=1e-6)


def test_nothing_draws_by_the_samplers_of_keras():
    root = pathlib.Path(__file__).resolve().parents[2]
    found = [
        path.name
        for folder in ("bbh_tf", "experiments")
        for path in (root / folder).rglob("*.py")
        if any(
            f"keras.random.{name}(" in path.read_text("utf-8")
            for name in ("normal", "uniform", "dropout", "truncated_normal")
        )
    ]
    assert not found

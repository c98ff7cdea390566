"""The fused update is Keras' update."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh

_SHAPES = ((7, 5), (5,), ())


def _train(optimizer, num_steps=50, compiled=None):
    """Fifty steps of gradients that depend on the variables."""
    generator = np.random.default_rng(0)
    start = [generator.normal(size=s).astype("float32") for s in _SHAPES]
    noise = [
        [generator.normal(size=s).astype("float32") for s in _SHAPES]
        for _ in range(num_steps)
    ]
    variables = [keras.Variable(value) for value in start]
    optimizer.build(variables)

    def step(offsets):
        with tf.GradientTape() as tape:
            loss = tf.add_n(
                [
                    tf.reduce_sum(tf.sin(v.value) * o)
                    for v, o in zip(variables, offsets)
                ]
            )
        gradients = tape.gradient(loss, [v.value for v in variables])
        optimizer.apply(gradients, variables)

    if compiled is not None:
        step = tf.function(step, jit_compile=compiled)
    for offsets in noise:
        step([tf.constant(o) for o in offsets])
    return [v.numpy() for v in (*variables, *optimizer.variables)]


@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": 1e-2},
        {"learning_rate": 1e-3, "epsilon": 1e-5, "beta_1": 0.5},
        {"learning_rate": 1e-2, "weight_decay": 0.1, "clipnorm": 0.5},
        {"learning_rate": 1e-2, "amsgrad": True},
        {"learning_rate": 1e-2, "use_ema": True, "ema_momentum": 0.5},
        {"learning_rate": 1e-2, "gradient_accumulation_steps": 2},
    ],
    ids=["plain", "epsilon", "decay_and_clip", "amsgrad", "ema", "accumulate"],
)
def test_equals_keras_adam_over_fifty_steps(arguments):
    ours = _train(bbh.optimizers.FusedAdam(**arguments))
    theirs = _train(keras.optimizers.Adam(**arguments))
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_equals_keras_adam_in_other_types(dtype):
    # In bfloat16 a step was some thousand times as long as it should be.
    found = []
    for kind in (bbh.optimizers.FusedAdam, keras.optimizers.Adam):
        variable = keras.Variable(np.ones(3), dtype=dtype)
        optimizer = kind(0.01)
        optimizer.build([variable])
        for _ in range(5):
            gradient = tf.constant([0.1, -2.0, 0.01], dtype)
            optimizer.apply([gradient], [variable])
        found.append(tf.cast(variable.value, tf.float64).numpy())
    np.testing.assert_allclose(*found, rtol=1e-6)


@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "xla"])
def test_compiled_equals_eager(compiled):
    eager = _train(bbh.optimizers.FusedAdam(1e-2), 5)
    other = _train(bbh.optimizers.FusedAdam(1e-2), 5, compiled)
    for a, b in zip(eager, other):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_saves_and_goes_on(tmp_path):
    def model():
        keras.utils.set_random_seed(0)
        network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        network.compile(bbh.optimizers.FusedAdam(1e-2), "mse")
        return network

    x, y = np.ones((8, 3), "float32"), np.zeros((8, 2), "float32")
    whole, parts = model(), model()
    whole.fit(x, y, epochs=4, verbose=0, shuffle=False)
    parts.fit(x, y, epochs=2, verbose=0, shuffle=False)
    parts.save(tmp_path / "parts.keras")
    parts = keras.models.load_model(tmp_path / "parts.keras")
    assert isinstance(parts.optimizer, bbh.optimizers.FusedAdam)
    parts.fit(x, y, epochs=2, verbose=0, shuffle=False)
    for a, b in zip(whole.get_weights(), parts.get_weights()):
        np.testing.assert_array_equal(a, b)

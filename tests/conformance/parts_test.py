"""Every public class that is no layer: configured, trained, saved, loaded."""

import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from tests.conformance import parts
from tests.models import small_models

EVERY = [(room, name) for room, made in parts.PARTS.items() for name in made]
every_part = pytest.mark.parametrize(("room", "name"), EVERY)
every_flow = pytest.mark.parametrize("name", parts.FLOWS)


@pytest.mark.parametrize("room", parts.BASES)
def test_every_public_class_has_a_line(room):
    module = getattr(bbh, room)
    public = {
        name
        for name in module.__all__
        if inspect.isclass(getattr(module, name))
    }
    lines = parts.FLOWS if room == "flows" else parts.PARTS[room]
    assert set(lines) | parts.BASES[room] == public


@every_part
def test_a_configuration_makes_its_like(room, name):
    make, _ = parts.PARTS[room][name]
    config = keras.saving.serialize_keras_object(make())
    copy = keras.saving.deserialize_keras_object(json.loads(json.dumps(config)))
    assert type(copy).__name__ == name
    assert (
        keras.saving.serialize_keras_object(copy)["config"]
        == (config["config"])
    )


# In one test, since most of its time is the tracing of training steps; but for
# XLA's, a step is taken without one.
@every_part
def test_trains_alike_under_xla_and_from_a_file(room, name, tmp_path):
    model, compiled = (
        parts.model(room, name, jit_compile) for jit_compile in (False, True)
    )
    # But for what trains an adversary in many steps of its own.
    model.run_eagerly = name != "AdversarialKL"
    for one in (model, compiled):
        history = one.fit(parts.X, parts.Y, batch_size=8, verbose=0).history
        assert np.isfinite(history["loss"]).all()
    for old, new in zip(
        small_models.state(model), small_models.state(compiled), strict=True
    ):
        np.testing.assert_allclose(old, new, rtol=1e-3, atol=1e-4)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.run_eagerly = model.run_eagerly
    for step in range(2):
        for old, new in zip(
            small_models.state(model), small_models.state(loaded), strict=True
        ):
            np.testing.assert_array_equal(old, new)
        if step == 0:
            for one in (model, loaded):
                one.fit(parts.X, parts.Y, batch_size=8, verbose=0)
    np.testing.assert_array_equal(
        model.predict_samples(parts.X), loaded.predict_samples(parts.X)
    )


@every_flow
def test_a_flow_is_the_same_compiled_and_copied(name):
    flow = parts.FLOWS[name]()
    flow.build(5)
    z = tf.random.stateless_normal((3, 5), (1, 2))
    masks = tf.constant([[[1.0, 0, 1, 0, 1], [0.0, 1, 0, 1, 0]]] * 3)
    arguments = (
        (z, masks)
        if "masks" in inspect.signature(flow.call).parameters
        else (z,)
    )
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(flow)))
    copy = keras.saving.deserialize_keras_object(config)
    copy.build(5)
    copy.set_weights(flow.get_weights())
    compiled = tf.function(flow, jit_compile=True)(*arguments)
    for one, two, three in zip(flow(*arguments), copy(*arguments), compiled):
        assert one.dtype == tf.float32
        np.testing.assert_array_equal(one, two)
        np.testing.assert_allclose(one, three, rtol=1e-5, atol=1e-6)


@every_flow
def test_a_flow_is_float32_under_any_policy(name):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        flow = parts.FLOWS[name]()
        flow.build(5)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {v.dtype for v in flow.variables} <= {"float32"}
    assert flow.compute_dtype == "float32"

"""The masked flow: its inverse, its log-determinant, its formula."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from bbh_tf.flows import MaskedRealNVP

DIM = 5


def built(num_flows=3, units=7, scale=1.0):
    """A flow whose every parameter counts."""
    flow = MaskedRealNVP(num_flows, units)
    flow.build(DIM)
    generator = np.random.default_rng(0)
    for variable in flow.trainable_variables:
        variable.assign(generator.normal(0, scale, variable.shape))
    return flow


def inputs(count, num_flows=3):
    generator = np.random.default_rng(1)
    z = generator.normal(size=(count, DIM)).astype("float32")
    masks = generator.integers(0, 2, (count, num_flows, DIM))
    return z, masks.astype("float32")


def test_inverse():
    # Nearly closed gates lose digits that no inverse brings back.
    flow = built(scale=0.5)
    z, masks = inputs(50)
    mapped, log_det = flow(z, masks)
    assert np.abs(mapped - z).max() > 0.5
    back, back_log_det = flow.inverse(mapped, masks)
    np.testing.assert_allclose(back, z, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(back_log_det, -log_det, rtol=1e-4, atol=1e-4)


def test_log_det_is_that_of_a_numerical_jacobian():
    flow = built()
    z, masks = inputs(6)
    _, log_det = flow(z, masks)
    step = 1e-2
    columns = [
        (flow(z + move, masks)[0] - flow(z - move, masks)[0]) / (2 * step)
        for move in step * np.eye(DIM, dtype="float32")
    ]
    sign, expected = np.linalg.slogdet(np.stack(columns, axis=2))
    np.testing.assert_array_equal(sign, 1)
    assert np.ptp(log_det) > 1
    np.testing.assert_allclose(log_det, expected, rtol=5e-3, atol=5e-3)


def test_log_det_is_that_of_the_exact_jacobian():
    flow = built()
    z, masks = inputs(6)
    with tf.GradientTape() as tape:
        z = tf.constant(z)
        tape.watch(z)
        mapped, log_det = flow(z, masks)
    _, expected = np.linalg.slogdet(tape.batch_jacobian(mapped, z))
    np.testing.assert_allclose(log_det, expected, rtol=1e-4, atol=1e-4)


def test_one_step_by_hand():
    flow = built(num_flows=1)
    z, masks = inputs(4, num_flows=1)
    mapped, log_det = flow(z, masks)
    a, a_bias, b, b_bias, c, c_bias = (
        np.array(v, np.float64) for v in flow.trainable_variables
    )
    mask = masks[:, 0]
    hidden = np.tanh((mask * z) @ a + a_bias)
    gate = 1 / (1 + np.exp(-(hidden @ c + c_bias)))
    shift = hidden @ b + b_bias
    expected = np.where(mask == 1, z, gate * z + (1 - gate) * shift)
    np.testing.assert_allclose(mapped, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        log_det, ((1 - mask) * np.log(gate)).sum(1), rtol=1e-4, atol=1e-5
    )


def test_what_all_masks_keep_stays():
    flow = built()
    z, masks = inputs(4)
    masks[:, :, 2] = 1
    mapped, _ = flow(z, masks)
    np.testing.assert_array_equal(mapped[:, 2], z[:, 2])
    mapped, log_det = flow(z, np.ones_like(masks))
    np.testing.assert_array_equal(mapped, z)
    np.testing.assert_array_equal(log_det, np.zeros(4))


def test_no_steps_are_the_identity():
    flow = MaskedRealNVP(0)
    flow.build(DIM)
    assert not flow.weights
    z, masks = inputs(4, num_flows=0)
    for mapped, log_det in (flow(z, masks), flow.inverse(z, masks)):
        np.testing.assert_array_equal(mapped, z)
        np.testing.assert_array_equal(log_det, np.zeros(4))


def test_more_axes():
    flow = built()
    z, masks = inputs(6)
    mapped, log_det = flow(z, masks)
    folded, folded_log_det = flow(
        z.reshape(2, 3, DIM), masks.reshape(2, 3, 3, DIM)
    )
    np.testing.assert_allclose(
        np.reshape(folded, (6, DIM)), mapped, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        np.reshape(folded_log_det, 6), log_det, rtol=1e-5, atol=1e-6
    )


def test_starts_near_the_identity():
    flow = MaskedRealNVP(2, 50)
    flow.build(DIM)
    z, masks = inputs(200, num_flows=2)
    mapped, log_det = flow(z, masks)
    moved = 2 - masks.sum(1)
    gates = np.exp(log_det / np.maximum(moved.sum(1), 1))[moved.sum(1) > 0]
    assert np.median(gates) == pytest.approx(1 / (1 + np.exp(-2)), abs=0.02)
    assert np.abs(mapped - z).max() < 1.5


def test_extreme_gates_are_finite():
    flow = built(scale=100.0)
    z, masks = inputs(50)
    with tf.GradientTape() as tape:
        mapped, log_det = flow(z, masks)
        total = tf.reduce_sum(mapped) + tf.reduce_sum(log_det)
    assert np.isfinite(total)
    for gradient in tape.gradient(total, flow.trainable_variables):
        assert np.isfinite(gradient).all()


def test_gradient_reaches_every_parameter():
    flow = built()
    assert len(flow.trainable_variables) == 18
    z, masks = inputs(50)
    with tf.GradientTape() as tape:
        mapped, log_det = flow(z, masks)
        total = tf.reduce_sum(tf.square(mapped)) + tf.reduce_sum(log_det)
    for gradient in tape.gradient(total, flow.trainable_variables):
        assert np.all(np.array(gradient) != 0)


def test_refusals():
    for num_flows in (-1, 1.5, True, None):
        with pytest.raises(ValueError, match="num_flows to be an integer >= 0"):
            MaskedRealNVP(num_flows)
    with pytest.raises(ValueError, match="units to be a positive integer"):
        MaskedRealNVP(2, 0)
    with pytest.raises(ValueError, match="must be built before"):
        MaskedRealNVP()(np.zeros((1, DIM)), np.zeros((1, 2, DIM)))


def test_config_round_trip():
    flow = MaskedRealNVP(3, 9, name="mine")
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(flow)))
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is MaskedRealNVP
    assert copy.get_config() == flow.get_config()
    assert copy.name == "mine"


@pytest.mark.parametrize("policy", ["mixed_float16", "float16"])
def test_float32_under_any_policy(policy):
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        flow = built()
        mapped, log_det = flow(*inputs(2))
    finally:
        keras.config.set_dtype_policy(previous)
    assert {v.dtype for v in flow.variables} == {"float32"}
    assert {x.dtype for x in (mapped, log_det)} == {tf.float32}

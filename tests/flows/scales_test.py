"""Scales of flows are bounded: far draws stay finite."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from tests.flows import densities

flows = bbh.flows
STACKS = {
    "RealNVP": lambda **kwargs: flows.real_nvp(
        8, (200,), initial_log_scale=0.0, seed=1, **kwargs
    ),
    "IAF": lambda **kwargs: flows.inverse_autoregressive(
        8, (200,), 0.0, seed=1234, **kwargs
    ),
}
LAYERS = {
    "RealNVP": flows.Coupling,
    "IAF": flows.InverseAutoregressive,
}


def trained(name, dim=60, **kwargs):
    """A stack whose kernels are as large as those of long training."""
    keras.utils.set_random_seed(0)
    stack = STACKS[name](**kwargs)
    stack.build(dim)
    densities.shake(stack, 0.4)
    largest = max(
        np.max(np.abs(variable))
        for variable in stack.trainable_variables
        if len(variable.shape) == 2
    )
    assert 1 < largest < 3
    return stack


def loss_and_gradients(stack, deviations):
    """Of draws whose elements are so many standard deviations out."""
    z = deviations * tf.sign(densities.normal_noise(16, 60))
    with tf.GradientTape() as tape:
        mapped, log_det = stack(z)
        loss = tf.reduce_mean(0.5 * tf.reduce_sum(mapped**2, axis=1) - log_det)
    return loss, tape.gradient(loss, stack.trainable_variables)


def is_finite(values):
    return all(bool(np.isfinite(value).all()) for value in values)


@pytest.mark.parametrize("deviations", [6.0, 8.0])
@pytest.mark.parametrize("name", STACKS)
def test_far_draws_are_finite_and_without_the_bound_are_not(name, deviations):
    loss, gradients = loss_and_gradients(trained(name), deviations)
    assert is_finite([loss, *gradients])
    assert np.isfinite(tf.linalg.global_norm(gradients))
    loss, gradients = loss_and_gradients(
        trained(name, max_log_scale=None), deviations
    )
    assert not is_finite([loss, *gradients])


@pytest.mark.parametrize("name", LAYERS)
def test_scales_are_within_the_bound_and_reach_it(name):
    layer = LAYERS[name](max_log_scale=0.5, min_scale=0.0)
    layer.build(6)
    densities.shake(layer, 5.0)
    z = densities.normal_noise(200, 6)
    with tf.GradientTape() as tape:
        tape.watch(z)
        mapped, _ = layer(z)
    scales = np.log(
        np.diagonal(tape.batch_jacobian(mapped, z), axis1=1, axis2=2)
    )
    assert np.abs(scales).max() == pytest.approx(0.5, rel=1e-3)
    assert scales.min() < 0 < scales.max()


@pytest.mark.parametrize("name", STACKS)
def test_near_the_identity_the_bound_changes_nothing(name):
    def started(**kwargs):
        keras.utils.set_random_seed(0)
        stack = STACKS[name](**kwargs)
        stack.build(30)
        return stack(densities.normal_noise(50, 30))

    for one, other in zip(started(), started(max_log_scale=None)):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("bound", [None, 0.7])
def test_the_bound_is_kept_in_the_configuration(name, bound):
    stack = STACKS[name](max_log_scale=bound)
    again = flows.get(keras.saving.serialize_keras_object(stack))
    found = {
        layer.max_log_scale
        for layer in again.flows
        if isinstance(layer, LAYERS[name])
    }
    assert found == {bound}

"""Halves have the gradients of TensorFlow's own operations, in loops too."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import weights
from bbh_tf.flows import halves

FLOWS = {
    "coupling": bbh.flows.real_nvp(num_layers=2, units=(4,)),
    "inverse_autoregressive": bbh.flows.inverse_autoregressive(
        num_layers=2, units=(4,), seed=1234
    ),
}
POSTERIORS = (bbh.posteriors.Flow, bbh.posteriors.WeightNormFlow)


def test_gradients_are_those_of_concatenation_and_slices():
    z = tf.random.stateless_normal((3, 5), (0, 1))
    factors = tf.random.stateless_normal((3, 5), (0, 2))

    def own(z):
        one, two = halves.cut(z, 2)
        return halves.join(tf.sin(two), one**2)

    def plain(z):
        return tf.concat([tf.sin(z[:, 2:]), z[:, :2] ** 2], axis=-1)

    results = []
    for function in (own, plain):
        with tf.GradientTape() as tape:
            tape.watch(z)
            mapped = function(z)
            loss = tf.reduce_sum(factors * mapped)
        results.append((mapped, tape.gradient(loss, z)))
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("posterior", POSTERIORS, ids=lambda x: x.__name__)
@pytest.mark.parametrize("flow", FLOWS)
def test_trains_in_a_compiled_loop_as_step_by_step(flow, posterior):
    def trained(compiled):
        keras.utils.set_random_seed(0)
        made = posterior(FLOWS[flow])
        made.build(
            [
                weights.WeightSpec("kernel", (3, 2)),
                weights.WeightSpec("bias", (2,)),
            ]
        )
        random = np.random.default_rng(0)
        for variable in made.trainable_variables:
            values = random.normal(size=variable.shape, scale=0.3)
            variable.assign(values.astype(np.float32))
        variables = [x.value for x in made.trainable_variables]

        def step(index):
            with tf.GradientTape() as tape:
                samples, log_prob = made.sample(3, bbh.randomness.key(0, index))
                loss = tf.add_n([tf.reduce_sum(x**2) for x in samples])
                loss += tf.reduce_sum(log_prob)
            for variable, gradient in zip(
                variables, tape.gradient(loss, variables), strict=True
            ):
                if gradient is not None:
                    variable.assign_sub(1e-3 * gradient)
            return [index + 1]

        if compiled:

            def loop():
                return tf.while_loop(lambda index: index < 3, step, [0])

            tf.function(loop, jit_compile=True, autograph=False)()
        else:
            for index in range(3):
                step(tf.constant(index))
        return [variable.numpy() for variable in variables]

    for one, two in zip(trained(True), trained(False), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)

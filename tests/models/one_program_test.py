"""A whole training step as one XLA program, as an accelerator would run it."""

import math
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from tests.models import small_models

X, Y = small_models.data(8)
_NUM_SAMPLES = 5
_POSTERIORS = {
    "implicit": small_models.implicit(),
    "mean_field": bbh.posteriors.MeanField(),
}
each_posterior = pytest.mark.parametrize("name", list(_POSTERIORS))


def _model(name):
    keras.utils.set_random_seed(1)
    model = small_models.model(
        small_models.network(posterior=_POSTERIORS[name]),
        num_samples=_NUM_SAMPLES,
        compiled=False,
    )
    model.compile(bbh.optimizers.FusedAdam(0.001), jit_compile=True)
    model.optimizer.build(model.trainable_variables)
    return model


def _program(model):
    step = tf.function(
        lambda x, y: model.train_step((x, y)), autograph=False, jit_compile=True
    )
    data = tf.constant(X), tf.constant(Y)
    return step.experimental_get_compiler_ir(*data)(stage="optimized_hlo")


@each_posterior
def test_state_is_updated_in_place_and_the_host_is_not_asked(name):
    model = _model(name)
    program = _program(model)
    aliased = re.findall(r"\{\d+\}: \(\d+, \{\}, m\w+-alias\)", program)
    changed = [
        *model.trainable_variables,
        *model.optimizer.variables,
        model.draw_number,
        model.examples_seen,
    ]
    # The learning rate is a variable of the optimiser that stays as it is.
    assert len(aliased) >= len(changed) - 1
    for word in ("infeed", "outfeed", "send(", "recv(", "custom-call"):
        assert word not in program, word


def test_the_divergence_has_no_tensor_of_all_pairs():
    # Whose parameters are small beside the samples of the weights.
    model = _model("mean_field")
    program = _program(model)
    num_weights = sum(
        math.prod(variable.shape)
        for layer in model.bayesian_layers
        for variable in layer.replaced_variables
    )
    sizes = [
        math.prod(map(int, shape.split(",")))
        for shape in re.findall(r"\b[fsu]32\[([\d,]+)\]", program)
    ]
    # Draws are padded, by 15 numbers here at most.
    assert max(sizes) <= _NUM_SAMPLES * (num_weights + 15)
    assert num_weights < _NUM_SAMPLES * num_weights <= max(sizes)


@each_posterior
def test_several_compiled_steps_an_execution_are_the_steps_one_by_one(name):
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(2).repeat(3)
    trained = []
    for jit_compile, steps in ((False, 1), (True, 4)):
        model = _model(name)
        model.compile(
            bbh.optimizers.FusedAdam(0.001),
            jit_compile=jit_compile,
            steps_per_execution=steps,
        )
        model.fit(data, shuffle=False, verbose=0)
        trained.append(model)
    one_by_one, at_once = trained
    assert int(at_once.draw_number.value) == 12
    for left, right in zip(
        one_by_one.trainable_variables, at_once.trainable_variables
    ):
        np.testing.assert_allclose(left, right, rtol=1e-3, atol=1e-4)

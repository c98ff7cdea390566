"""Schedules of the factor of the KL."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from bbh_tf import annealing


def at(schedule, *epochs):
    values = [schedule(tf.constant(epoch, tf.float32)) for epoch in epochs]
    assert all(value.dtype == tf.float32 for value in values)
    assert all(value.shape == () for value in values)
    return pytest.approx([float(value) for value in values], abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "epochs", "factors"),
    [
        # Epochs 5 to 20, as on MNIST.
        ((), (0, 5, 8, 12.5, 20, 100), (0, 0, 0.2, 0.5, 1, 1)),
        ((20, 15), (19.9, 20, 27.5, 35, 36), (0, 0, 0.5, 1, 1)),
        ((0, 4), (0, 1, 4), (0, 0.25, 1)),
        ((0.5, 0.25), (0.5, 0.5625, 0.75), (0, 0.25, 1)),
        ((3, 0), (0, 2.999, 3, 4), (0, 0, 1, 1)),
        ((0, 0), (0, 1), (1, 1)),
    ],
)
def test_linear(arguments, epochs, factors):
    assert at(annealing.Linear(*arguments), *epochs) == list(factors)


def test_linear_never_falls_and_stays_within_bounds():
    schedule = annealing.Linear(2, 3)
    values = [float(schedule(x)) for x in np.linspace(0, 8, 81)]
    assert values == sorted(values)
    assert values[0] == 0
    assert values[-1] == 1


@pytest.mark.parametrize(
    "schedule", [annealing.Linear(2, 4), annealing.constant]
)
@pytest.mark.parametrize(
    "epoch", [4, 4.0, np.float64(4), tf.constant(4), tf.constant(4.0)]
)
def test_any_number_serves_as_an_epoch(schedule, epoch):
    factor = schedule(epoch)
    assert factor.dtype == tf.float32
    expected = 1.0 if schedule is annealing.constant else 0.5
    assert float(factor) == expected


@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_a_graph(jit_compile):
    schedule = tf.function(annealing.Linear(2, 4), jit_compile=jit_compile)
    assert at(schedule, 1, 3, 9) == [0, 0.25, 1]


def test_constant():
    assert at(annealing.constant, 0, 0.5, 1000) == [1, 1, 1]


def mine(epoch):
    return epoch / 100


def test_get():
    assert annealing.get(None) is annealing.constant
    assert annealing.get(mine) is mine
    schedule = annealing.Linear()
    assert annealing.get(schedule) is schedule


def test_what_needs_the_epoch_s_value_is_refused():
    with pytest.raises(ValueError, match="such as tf.minimum"):
        annealing.get(lambda epoch: min(1.0, epoch / 10))


def test_what_is_no_scalar_is_refused():
    with pytest.raises(ValueError, match=r"return a scalar; got shape \(3,\)"):
        annealing.get(lambda epoch: epoch * tf.ones(3))
    assert callable(annealing.get(lambda epoch: 0.5))
    with pytest.raises(ValueError, match="return a scalar; got nothing from"):
        annealing.get(lambda epoch: None)
    with pytest.raises(ValueError, match="return a scalar; got 2 from"):
        annealing.get(lambda epoch: (epoch, 1.0))


@pytest.mark.parametrize(
    "schedule",
    [
        lambda epoch: 1 - math.exp(-epoch),
        lambda epoch: 1 - np.exp(-epoch),
        lambda epoch: float(epoch) / 10,
        lambda: 1.0,
    ],
    ids=["math", "numpy", "float", "no argument"],
)
def test_functions_of_python_s_numbers_are_refused(schedule):
    with pytest.raises(ValueError, match="tf.exp in the place of") as error:
        annealing.get(schedule)
    assert "\n" not in str(error.value)


def test_round_trip():
    for schedule in (annealing.Linear(1.5, 0), annealing.constant):
        config = json.loads(
            json.dumps(keras.saving.serialize_keras_object(schedule))
        )
        copy = annealing.get(config)
        assert at(copy, 0, 1, 2) == [
            float(schedule(x)) for x in (0.0, 1.0, 2.0)
        ]
    assert annealing.Linear(1.5, 0).get_config() == {
        "start_epoch": 1.5,
        "num_epochs": 0,
    }

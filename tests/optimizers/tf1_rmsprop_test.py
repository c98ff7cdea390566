"""RMSProp of TensorFlow 1 against its formula."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh


def test_follows_the_formula_from_moments_of_one():
    variable = keras.Variable([1.0, -2.0])
    optimizer = bbh.optimizers.TF1RMSprop(0.1, rho=0.9, epsilon=0.1)
    weight = np.array([1.0, -2.0])
    moment = np.ones(2)
    for gradient in ([0.5, -1.0], [0.1, 3.0], [0.0, 0.2]):
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        gradient = np.array(gradient)
        moment = 0.9 * moment + 0.1 * gradient**2
        weight = weight - 0.1 * gradient / np.sqrt(moment + 0.1)
        np.testing.assert_allclose(variable.numpy(), weight, rtol=1e-6)


def test_is_not_keras_rmsprop():
    steps = []
    for optimizer in (
        bbh.optimizers.TF1RMSprop(0.1),
        keras.optimizers.RMSprop(0.1, epsilon=1e-5),
    ):
        variable = keras.Variable([0.0])
        optimizer.apply([keras.ops.convert_to_tensor([1.0])], [variable])
        steps.append(abs(float(variable.numpy()[0])))
    assert steps[1] > 2 * steps[0]


def test_config_round_trip():
    optimizer = bbh.optimizers.TF1RMSprop(0.3, rho=0.5, epsilon=1e-3)
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(optimizer)
    )
    assert copy.get_config() == optimizer.get_config()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"rho": 1.0}, "rho"), ({"epsilon": -1.0}, "epsilon")],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=f"Expected {message}"):
        bbh.optimizers.TF1RMSprop(**arguments)

"""Small ensembles and what to do with them, for the tests of this folder."""

import keras
import numpy as np

import bbh_tf as bbh
from tests.models import small_models

# One network in two programs: float32 sums in another order.
CLOSE = {"rtol": 1e-5, "atol": 1e-6}
X, Y = small_models.data(20)

_COMPILING = ("jit_compile", "run_eagerly")


def network(*between, seed=None):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(
                5,
                activation="tanh",
                kernel_initializer=keras.initializers.GlorotUniform(seed),
                kernel_regularizer="l2",
            ),
            *between,
            keras.layers.Dense(3, name="logits"),
        ]
    )


def noisy_network():
    """A network with states that training changes besides its weights."""
    return network(
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.3, seed=5),
        keras.layers.Dense(4, activity_regularizer="l1"),
    )


def ensemble(inner=None, num_members=2, optimizer=None, **kwargs):
    compiling = {
        name: kwargs.pop(name) for name in _COMPILING if name in kwargs
    }
    model = bbh.models.DeepEnsemble(
        inner or network(), num_members, **{"seed": 3, **kwargs}
    )
    metrics = None if "likelihood" in kwargs else ["accuracy"]
    optimizer = optimizer or keras.optimizers.Adam(0.01)
    model.compile(optimizer, metrics=metrics, **compiling)
    return model


def fit(model, x=X, y=Y, epochs=2, batch_size=8):
    return model.fit(
        x,
        y,
        batch_size=batch_size,
        epochs=epochs,
        shuffle=False,
        verbose=0,
    ).history


def softmax(logits):
    values = np.exp(logits - logits.max(-1, keepdims=True))
    return values / values.sum(-1, keepdims=True)


def assert_same_weights(model, other, **tolerance):
    for ours, theirs in zip(model.weights, other.weights, strict=True):
        np.testing.assert_allclose(ours, theirs, **tolerance)

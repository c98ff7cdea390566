"""Data whose end is found by a step that gets no batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf.layers import replica_noise
from tests.models import small_models

X, Y = small_models.data(8)
EPOCHS, STEPS = 3, 2


def _fit(model, data=(X, Y)):
    """Trains on a data set that does not say how long it is."""
    dataset = tf.data.Dataset.from_tensor_slices(data)
    dataset = dataset.filter(lambda *_: True).batch(len(X) // STEPS)
    assert dataset.cardinality() == tf.data.UNKNOWN_CARDINALITY
    with pytest.warns(UserWarning, match="ran out of data"):
        model.fit(dataset, epochs=EPOCHS, verbose=0, shuffle=False)


def _seeds(model):
    return [int(state.value[1]) for state in replica_noise.states(model)]


def test_a_model_counts_the_steps_that_had_data():
    network = small_models.network(bbh.layers.MCDropout(0.5, seed=1))
    model = small_models.model(
        network,
        divergence=bbh.divergences.AdversarialKL(
            num_steps=2, num_pretraining_steps=3
        ),
    )
    _fit(model)
    assert int(model.draw_number.value) == EPOCHS * STEPS
    assert int(model.examples_seen.value) == EPOCHS * len(X)
    steps = [v for v in model.variables if v.name == "num_steps_taken"]
    assert [int(v.value) for v in steps] == [3 + 2 * EPOCHS * STEPS]
    assert _seeds(network) == [EPOCHS * STEPS]


def test_a_model_inside_another_counts_them_too():
    inner = small_models.model(compiled=False)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, inner(inputs))
    model.compile(
        "sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    _fit(model)
    assert int(inner.draw_number.value) == EPOCHS * STEPS


def test_members_drop_units_as_often_as_they_are_trained():
    model = bbh.models.DeepEnsemble(
        keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dropout(0.5, seed=1),
                keras.layers.Dense(3),
            ]
        ),
        num_members=2,
        seed=0,
    )
    model.compile("sgd")
    _fit(model)
    assert _seeds(model) == [EPOCHS * STEPS] * 2


def test_an_autoencoder_has_as_much_noise_as_steps():
    model = bbh.models.KernelAutoencoder(3, seed=0)
    model.compile("sgd")
    _fit(model, np.ones((len(X), 3, 3), np.float32))
    assert int(model.seed_generator.state.value[1]) == EPOCHS * STEPS


@pytest.mark.parametrize("kind", ["Bayesian", "MNF"])
def test_a_layer_alone_counts_the_steps_that_had_data(kind):
    layer = (
        bbh.layers.MNFDense(3, kl_weight=0.1)
        if kind == "MNF"
        else bbh.layers.Bayesian(
            keras.layers.Dense(3),
            bbh.posteriors.MeanField(),
            divergence=bbh.divergences.AnalyticKL(),
            kl_weight=0.1,
        )
    )
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(
        "sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    _fit(model)
    assert int(layer.draw_number.value) == EPOCHS * STEPS

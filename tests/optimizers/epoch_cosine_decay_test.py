"""A rate that falls over epochs is Keras' own that falls over their steps."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from tests.models import small_models

X, Y = small_models.data()
BATCH_SIZE, EPOCHS = 2, 4
NUM_STEPS = EPOCHS * -(-len(X) // BATCH_SIZE)
of_epochs = bbh.optimizers.EpochCosineDecay(0.1, EPOCHS, alpha=0.05)
of_steps = keras.optimizers.schedules.CosineDecay(0.1, NUM_STEPS, alpha=0.05)


def _model(rate):
    keras.utils.set_random_seed(0)
    model = small_models.model(
        small_models.network(posterior=bbh.posteriors.MeanField()),
        divergence=bbh.divergences.AnalyticKL(),
    )
    model.compile(keras.optimizers.SGD(rate))
    return model


def _fit(model, epochs, first=0):
    model.fit(
        X,
        Y,
        BATCH_SIZE,
        epochs=epochs,
        initial_epoch=first,
        shuffle=False,
        verbose=0,
    )


def test_falls_as_keras_own_over_the_steps_of_the_epochs():
    weights = []
    for rate in (of_epochs, of_steps):
        model = _model(rate)
        _fit(model, EPOCHS)
        weights.append(model.get_weights())
        assert float(model.optimizer.learning_rate) == pytest.approx(0.005)
    for one, two in zip(*weights, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_goes_on_where_a_saved_model_was(tmp_path):
    whole, model = _model(of_epochs), _model(of_epochs)
    _fit(whole, EPOCHS)
    _fit(model, 1)
    at = float(model.optimizer.learning_rate)
    assert at == pytest.approx(0.1 * (0.05 + 0.95 * (2 + 2**0.5) / 4))
    model.save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    assert float(model.optimizer.learning_rate) == at
    _fit(model, EPOCHS, first=1)
    for one, two in zip(whole.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_stays_where_it_is_after_its_epochs():
    model = _model(bbh.optimizers.EpochCosineDecay(0.1, 1, alpha=0.05))
    _fit(model, 2)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.005)


def test_is_found_in_an_optimizer_that_scales_the_loss():
    inner = keras.optimizers.SGD(bbh.optimizers.EpochCosineDecay(0.1, 1))
    model = _model(0.1)
    model.compile(keras.optimizers.LossScaleOptimizer(inner))
    model.examples_seen.assign(model.num_train_examples)
    assert float(inner.learning_rate) == pytest.approx(0.001)


def test_refuses_a_model_that_counts_no_epochs():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    rate = bbh.optimizers.EpochCosineDecay(0.1, 1)
    model.compile(keras.optimizers.SGD(rate), "mse")
    with pytest.raises(ValueError, match="expects to be compiled into a Bay"):
        model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1.0, 1), "initial_learning_rate to be a finite number >= 0; got -1"),
        ((0.1, 0), "decay_epochs to be > 0; got 0"),
        ((0.1, float("nan")), "decay_epochs to be a finite number"),
        ((0.1, 1, 2.0), "alpha to be a number between 0 and 1; got 2.0"),
    ],
)
def test_refuses_in_one_line(arguments, message):
    with pytest.raises(ValueError, match=message):
        bbh.optimizers.EpochCosineDecay(*arguments)

"""What users asked for: MC dropout of a network, vocabularies, phones."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from tests.models import small_models

X, Y = small_models.data()
LAYERS = keras.layers


def _with_dropout():
    return keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            LAYERS.Conv2D(3, 3),
            LAYERS.SpatialDropout2D(0.25, seed=1),
            LAYERS.Flatten(),
            LAYERS.Dropout(0.5),
            LAYERS.Dense(3),
        ]
    )


def test_dropout_of_keras_becomes_monte_carlo():
    network = _with_dropout()
    with pytest.raises(ValueError, match='bayesify.network, dropout="keras"'):
        bbh.models.BayesianModel(network, 8)
    made = bbh.models.bayesify(network, dropout="keras")
    _, spatial, _, plain, _ = made.layers
    assert (spatial.rate, spatial.noise_shape) == (0.25, (None, 1, 1, None))
    assert (plain.rate, plain.noise_shape) == (0.5, None)
    first = LAYERS.SpatialDropout2D(0.25, data_format="channels_first")
    (first,) = bbh.models.bayesify(
        keras.Sequential([keras.Input((6, 6, 2)), first]), dropout="keras"
    ).layers
    assert first.noise_shape == (None, None, 1, 1)
    x = np.ones((2, 6, 6, 2), "float32")
    # The rest is as it was: the mean over many draws is nearly its output.
    model = bbh.models.BayesianModel(made, 8, "normal", seed=1)
    samples = model.predict_samples(x, 100)
    error = samples.std(0) / 10
    assert (np.abs(samples.mean(0) - network(x)) < 4.5 * error).all()
    both = bbh.models.bayesify(
        network, bbh.posteriors.MeanField(), dropout="keras"
    )
    kinds = [type(layer).__name__ for layer in both.layers]
    assert kinds.count("Bayesian") == kinds.count("MCDropout") == 2


def test_dropout_of_other_layers_is_told():
    inputs = keras.Input((3, 4))
    x = LAYERS.LSTM(2, recurrent_dropout=0.1, return_sequences=True)(inputs)
    x = LAYERS.MultiHeadAttention(1, 2, dropout=0.1, name="attention")(x, x)
    x = LAYERS.GaussianDropout(0.1, name="gaussian")(x)
    x = LAYERS.GRU(2, name="gru")(LAYERS.Dropout(0.1)(x))
    network = keras.Model(inputs, LAYERS.Dense(3)(x))
    with pytest.warns(UserWarning, match="what lstm.*, attention, gaussian dr"):
        bbh.models.bayesify(network, dropout="keras")


def test_dropout_that_is_not_there_is_refused():
    network = keras.Sequential([keras.Input((4,)), LAYERS.Dense(3)])
    with pytest.raises(ValueError, match="with Dropout layers"):
        bbh.models.bayesify(network, dropout="keras")
    with pytest.raises(ValueError, match='dropout to be "keras"'):
        bbh.models.bayesify(network, dropout="on")
    with pytest.raises(ValueError, match="Expected a posterior"):
        bbh.models.bayesify(network)


@pytest.mark.parametrize(
    "given",
    [
        {"prior": bbh.priors.Normal()},
        {"layers": "dense"},
        {"start": "pretrained"},
        {"local_reparameterization": True},
    ],
    ids=lambda given: next(iter(given)),
)
def test_what_is_a_posterior_s_is_refused_without_one(given):
    (name,) = given
    with pytest.raises(ValueError, match=f"no {name} without a posterior"):
        bbh.models.bayesify(_with_dropout(), dropout="keras", **given)


@pytest.mark.parametrize(
    "make",
    [
        lambda **given: bbh.models.lenet(units=(2, 2, 2), **given),
        lambda **given: bbh.models.resnet(
            1, filters=(2,), strides=(1,), **given
        ),
    ],
    ids=["lenet", "resnet"],
)
def test_a_plain_network_has_no_prior(make):
    for given in ({"prior": bbh.priors.Normal()}, {"start": "pretrained"}):
        (name,) = given
        with pytest.raises(ValueError, match=f"net expects no {name} without"):
            make(**given)


def test_a_trained_network_is_no_recipe_in_silence():
    network = keras.Sequential(
        [keras.Input((4,)), LAYERS.Dense(5, name="hidden"), LAYERS.Dense(3)]
    )
    bbh.models.DeepEnsemble(network, 2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("sgd", loss)
    network.fit(X, Y, verbose=0)
    weights = keras.models.clone_model(network)
    weights.set_weights(network.get_weights())
    for learnt in (network, weights):
        with pytest.warns(UserWarning, match="has learnt does not count"):
            bbh.models.DeepEnsemble(learnt, 2)


def test_vocabularies_are_exported(tmp_path):
    words = LAYERS.TextVectorization(
        vocabulary=["good", "bad"], output_sequence_length=3
    )
    inputs = keras.Input((1,), dtype="string")
    vectors = LAYERS.Flatten()(LAYERS.Embedding(4, 4)(words(inputs)))
    network = keras.Model(inputs, LAYERS.Dense(3)(vectors))
    model = small_models.model(
        bbh.models.bayesify(network, bbh.posteriors.MeanField())
    )
    model.export(tmp_path / "served")
    served = tf.saved_model.load(tmp_path / "served")
    texts = np.array([["good"], ["bad bad"], ["ugly"]])
    found = served.serve(tf.constant(texts))
    for name, values in model.predict_uncertainty(texts).items():
        np.testing.assert_allclose(found[name], values, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_an_exported_model_runs_on_tflites_own_operations(tmp_path):
    model = small_models.model(
        small_models.network(LAYERS.BatchNormalization())
    )
    model.export(tmp_path / "served")
    model.draw(index=1).export(tmp_path / "drawn", verbose=False)
    uncertainty = model.predict_uncertainty(X)
    samples = model.predict_samples(X)
    for name in ("served", "drawn"):
        converter = tf.lite.TFLiteConverter.from_saved_model(
            str(tmp_path / name)
        )
        interpreter = tf.lite.Interpreter(model_content=converter.convert())
        run = interpreter.get_signature_runner("serving_default")
        (argument,) = run.get_input_details()
        found = run(**{argument: X})
        if name == "served":
            for key, values in uncertainty.items():
                np.testing.assert_allclose(found[key], values, atol=1e-6)
        else:
            (logits,) = found.values()
            np.testing.assert_allclose(logits, samples[1], atol=1e-5)

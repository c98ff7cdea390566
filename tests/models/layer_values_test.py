"""What was adapted to data stays so in all that is made of a network."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf.models import layer_values

X = np.random.default_rng(0).normal(100, 20, (32, 3)).astype("float32")
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture(name="network")
def fixture_network():
    """A network with an adapted layer, alone and inside another model."""
    keras.utils.set_random_seed(0)
    outer, inner = (keras.layers.Normalization() for _ in range(2))
    outer.adapt(X)
    inner.adapt(3 * X)
    head = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(2)])
    inputs = keras.Input((3,))
    return keras.Model(inputs, outer(inputs) + head(inputs)[:, :1])


def _bayesian(network, **kwargs):
    kwargs.setdefault("start", "pretrained")
    return bbh.models.BayesianModel(
        bbh.models.bayesify(
            network,
            bbh.posteriors.MeanField(),
            relative_std=1e-5,
            **kwargs,
        ),
        len(X),
        "normal",
        num_prediction_samples=1,
    )


@pytest.mark.parametrize("scope", ["layer", "network"])
def test_a_bayesian_network_sees_inputs_as_the_plain_one(
    network, scope, tmp_path
):
    expected = network.predict(X, verbose=0)
    assert np.abs(expected).max() < 10
    model = _bayesian(network, scope=scope)
    np.testing.assert_allclose(model.predict(X), expected, **CLOSE)
    drawn = model.draw(seed=1, index=2)
    np.testing.assert_allclose(drawn.predict(X, verbose=0), expected, **CLOSE)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def _with_frozen_variables():
    network = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(2, name="frozen"),
            keras.layers.Dense(2, name="lora"),
            keras.layers.Dense(2, name="random"),
        ]
    )
    network.layers[0].bias.assign([1.0, 2.0])
    network.layers[0].bias.trainable = False
    network.layers[1].enable_lora(1)
    return network


@pytest.mark.parametrize("scope", ["layer", "network"])
def test_variables_that_are_frozen_stay_so_in_copies(scope):
    network = _with_frozen_variables()
    model = _bayesian(network, scope=scope, layers=["random"])
    copies = [model.network, model.draw()]
    if scope == "network":
        copies = [copies[0].layers[-1].layer, copies[1].layers[-1]]
    for made in copies:
        for old, new in zip(network.layers[:2], made.layers):
            for ours, theirs in zip(old.weights, new.weights, strict=True):
                assert ours.trainable == theirs.trainable, theirs.path
                np.testing.assert_array_equal(ours, theirs)


def test_variables_that_are_frozen_are_the_same_in_all_members():
    network = _with_frozen_variables()
    model = bbh.models.DeepEnsemble(network, 2, "normal")
    for made in (*model.members, model.draw()):
        for old, new in zip(network.layers, made.layers):
            for ours, theirs in zip(old.weights, new.weights, strict=True):
                assert ours.trainable == theirs.trainable, theirs.path
                if not ours.trainable:
                    np.testing.assert_array_equal(ours, theirs)
    kernels = [np.array(x.layers[-1].kernel) for x in model.members]
    assert (kernels[0] != kernels[1]).all()


@pytest.mark.parametrize("within", [True, False])
def test_models_that_are_frozen_can_be_trained_later(within):
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(2, name="hidden")(inputs)
    base = keras.Model(inputs, hidden, name="base")
    base.trainable = False
    head = keras.layers.Dense(2, name="head")(base(inputs))
    network = keras.Model(inputs, head)
    if not within:
        network.trainable = False
        network.layers[-1].trainable = True
    model = _bayesian(network, layers=["head"])
    ensemble = bbh.models.DeepEnsemble(network, 2, "normal")
    for made in (model.network, model.draw(), *ensemble.members):
        assert made.trainable == within
        frozen = made.get_layer("base")
        assert not frozen.trainable
        assert not frozen.trainable_variables
        # As in Keras, also for the layers in it.
        made.trainable = frozen.trainable = True
        assert len(frozen.trainable_variables) == 2
    assert len(model.trainable_variables) == 4 + 2


def test_members_see_inputs_as_the_recipe_does(network, tmp_path):
    model = bbh.models.DeepEnsemble(network, 2, "normal")
    for member in [*model.members, model.draw()]:
        for old, new in zip(
            network._flatten_layers(), member._flatten_layers()
        ):
            if isinstance(old, keras.layers.Normalization):
                np.testing.assert_array_equal(new(X), old(X))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_vocabularies_are_copied():
    words = keras.layers.TextVectorization(output_sequence_length=3)
    words.adapt(["a good film", "a very bad film"])
    network = keras.Sequential(
        [
            keras.Input((), dtype="string"),
            words,
            keras.layers.Embedding(words.vocabulary_size(), 4),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    model = _bayesian(network)
    texts = tf.constant(["good film", "film", "bad", "unheard of"])
    expected = network.predict(texts, verbose=0)
    np.testing.assert_allclose(model.predict(texts), expected, **CLOSE)


def test_a_vocabulary_with_weights_is_refused_by_name():
    made = [
        keras.layers.TextVectorization(output_mode="tf_idf", max_tokens=5)
        for _ in range(2)
    ]
    for layer, texts in zip(made, (["a b", "a c"], ["a", "d"])):
        layer.adapt(texts)
    with pytest.raises(ValueError, match="expected a layer made with voc"):
        layer_values.assign(*made)


def test_other_numbers_of_variables_are_refused():
    layers = [keras.layers.Dense(2), keras.layers.Dense(2, use_bias=False)]
    for layer in layers:
        layer.build((None, 3))
    with pytest.raises(ValueError, match="shorter"):
        layer_values.assign(*layers)

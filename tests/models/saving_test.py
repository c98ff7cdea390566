"""A model saved, loaded and trained on is the model that never stopped."""

import copy
import json

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from tests.models import small_models


def _between(kind):
    return {
        "plain": [],
        "batch norm": [keras.layers.BatchNormalization()],
        "dropout": [keras.layers.Dropout(0.5, seed=1)],
        "wrapped sequential": [
            bbh.layers.Bayesian(
                keras.Sequential(
                    [
                        keras.layers.Dense(4),
                        keras.layers.BatchNormalization(),
                        keras.layers.Dropout(0.3, seed=2),
                    ]
                ),
                bbh.posteriors.MeanField(),
            )
        ],
    }[kind]


def _fit(model, epochs=1):
    x, y = small_models.data(8)
    model.fit(x, y, batch_size=4, epochs=epochs, shuffle=False, verbose=0)


@pytest.mark.parametrize(
    "kind", ["plain", "batch norm", "dropout", "wrapped sequential"]
)
def test_training_goes_on_as_if_never_stopped(kind, tmp_path):
    model = small_models.model(
        small_models.network(*_between(kind)),
        annealing=bbh.annealing.Linear(1, 2),
        metrics=["accuracy"],
    )
    _fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x, _ = small_models.data()
    np.testing.assert_array_equal(
        model.predict_samples(x), loaded.predict_samples(x)
    )
    assert int(loaded.optimizer.iterations) == 2
    before = small_models.state(loaded)
    for old, new in zip(small_models.state(model), before, strict=True):
        np.testing.assert_array_equal(old, new)

    _fit(model)
    _fit(loaded)
    after = small_models.state(loaded)
    for old, new in zip(small_models.state(model), after, strict=True):
        np.testing.assert_array_equal(old, new)
    assert any((a != b).any() for a, b in zip(before, after))


def test_configuration_survives(tmp_path):
    model = small_models.model(
        small_models.network(posterior=bbh.posteriors.MeanField(-3.0)),
        likelihood="normal",
        divergence=bbh.divergences.KernelKL(per_weight=False),
        num_samples=3,
        num_prior_samples=4,
        num_likelihood_samples=2,
        split_batches=True,
        annealing=bbh.annealing.Linear(2, 3),
        kl_scale=0.25,
        seed=-(2**40),
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    # As JSON, where Keras' tuples and lists are alike.
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    assert loaded.seed == -(2**40)


def test_a_model_that_was_not_compiled(tmp_path):
    model = small_models.model(compiled=False)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x, _ = small_models.data()
    np.testing.assert_array_equal(
        model.predict_samples(x), loaded.predict_samples(x)
    )
    assert not loaded.compiled


def test_frozen_layers_stay_frozen_and_random(tmp_path):
    model = small_models.model()
    model.network.get_layer("hidden").trainable = False
    model.compile(keras.optimizers.Adam(0.01))
    _fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert len(loaded.trainable_variables) == len(model.trainable_variables)
    assert not loaded.network.get_layer("hidden").trainable
    _fit(model)
    _fit(loaded)
    for old, new in zip(small_models.state(model), small_models.state(loaded)):
        np.testing.assert_array_equal(old, new)
    x, _ = small_models.data()
    first, second = loaded.network.get_layer("hidden").posterior.sample(
        2, bbh.randomness.key(1)
    )[0][0]
    assert (np.asarray(first) != np.asarray(second)).all()


def test_parts_of_a_posterior_that_are_frozen_stay_so(tmp_path):
    model = small_models.model(compiled=False)
    hidden, logits = model.random_layers
    hidden.posterior.trainable = False
    logits.posterior.variables[0].trainable = False
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    trained = [v.trainable for v in loaded.variables]
    assert trained == [v.trainable for v in model.variables]


def test_weights_files(tmp_path):
    path = tmp_path / "model.weights.h5"
    model, other = (small_models.model(seed=3) for _ in range(2))
    x, _ = small_models.data()
    _fit(model)
    assert (model.predict_samples(x) != other.predict_samples(x)).any()
    model.save_weights(path)
    other.optimizer.build(other.trainable_variables)
    other.load_weights(path)
    np.testing.assert_array_equal(
        model.predict_samples(x), other.predict_samples(x)
    )
    assert int(other.examples_seen.value) == 8


def test_clone_model_makes_a_fresh_model_of_the_same_kind():
    model = small_models.model()
    clone = keras.models.clone_model(model)
    assert isinstance(clone, bbh.models.BayesianModel)
    assert {**clone.get_config(), "network": None} == {
        **model.get_config(),
        "network": None,
    }
    ours = {id(variable) for variable in model.variables}
    assert not any(id(variable) in ours for variable in clone.variables)
    assert [v.shape for v in clone.variables] == [
        v.shape for v in model.variables
    ]


def _held_twice(shared):
    inputs = keras.Input((4,))
    hidden = shared(keras.layers.Dense(4, name="first")(inputs))
    inner = keras.Model(inputs, hidden, name="inner")
    outer = keras.Input((4,))
    logits = keras.layers.Dense(3)(shared(inner(outer)))
    return keras.Model(outer, logits, name="outer")


def _bayesian(network, **kwargs):
    return bbh.models.BayesianModel(
        bbh.models.bayesify(network, bbh.posteriors.MeanField(), **kwargs),
        num_train_examples=8,
        divergence=bbh.divergences.AnalyticKL(),
        num_prediction_samples=2,
        seed=0,
    )


@pytest.mark.parametrize(
    "make",
    [
        _bayesian,
        lambda network: _bayesian(network, scope="network"),
        lambda network: bbh.models.DeepEnsemble(network, 2, seed=0),
    ],
    ids=["layers", "network", "ensemble"],
)
@pytest.mark.parametrize("kind", ["Dense", "Dropout"])
def test_a_layer_of_two_models_is_kept_by_its_weights(make, kind, tmp_path):
    shared = {
        "Dense": lambda: keras.layers.Dense(4, name="shared"),
        "Dropout": lambda: keras.layers.Dropout(0.5, seed=1, name="shared"),
    }[kind]
    model, other = (make(_held_twice(shared())) for _ in range(2))
    for describe in (
        lambda: model.save(tmp_path / "model.keras"),
        lambda: keras.models.clone_model(model),
        lambda: copy.deepcopy(model),
    ):
        with pytest.raises(ValueError, match="'shared' is a layer of") as error:
            describe()
        assert "\n" not in str(error.value)
    for one in (model, other):
        one.compile("sgd")
    _fit(model)
    other.optimizer.build(other.trainable_variables)
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    other.load_weights(path)
    x, _ = small_models.data()
    np.testing.assert_array_equal(
        model.predict_samples(x), other.predict_samples(x)
    )


def test_a_layer_that_another_holds_is_refused_by_files_and_clones(tmp_path):
    dense = bbh.layers.Bayesian(
        keras.layers.Dense(3), bbh.posteriors.MeanField(), name="shared"
    )
    one, many = keras.Input((4,)), keras.Input((2, 4))
    steps = keras.layers.Flatten()(keras.layers.TimeDistributed(dense)(many))
    logits = keras.layers.Dense(3)(
        keras.layers.Concatenate()([dense(one), steps])
    )
    model = bbh.models.BayesianModel(
        keras.Model([one, many], logits),
        num_train_examples=8,
        divergence=bbh.divergences.AnalyticKL(),
    )
    for describe in (
        lambda: model.save(tmp_path / "model.keras"),
        lambda: keras.models.clone_model(model),
        lambda: model.draw(),
    ):
        with pytest.raises(ValueError, match="a weight of .*'shared'"):
            describe()


def test_layers_without_variables_may_be_held_twice(tmp_path):
    model = _bayesian(_held_twice(keras.layers.ReLU(name="shared")))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x, _ = small_models.data()
    np.testing.assert_array_equal(
        model.predict_samples(x), loaded.predict_samples(x)
    )

"""Deep ensembles: members that train as if alone, and what they predict."""

import json

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf import uncertainty
from tests.models import ensembles
from tests.models import small_models
from tests.models.ensembles import CLOSE
from tests.models.ensembles import X
from tests.models.ensembles import Y

layers = keras.layers


def _copies(model, make_optimizer):
    copies = [model.draw(index=index) for index in range(2)]
    for copy in copies:
        copy.compile(
            make_optimizer(),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
    return copies


def _assert_trained_alike(model, copies, before, history, losses):
    np.testing.assert_allclose(history["loss"], np.mean(losses, 0), **CLOSE)
    for member, copy in zip(model.members, copies):
        ensembles.assert_same_weights(member, copy, rtol=1e-4, atol=1e-6)
    for old, new in zip(before, model.trainable_variables):
        assert (old != np.array(new)).all()


def test_two_members_are_two_networks_trained_alone():
    def adam():
        return keras.optimizers.Adam(0.01, clipnorm=0.5)

    model = ensembles.ensemble(ensembles.noisy_network(), optimizer=adam())
    before = [np.array(variable) for variable in model.trainable_variables]
    copies = _copies(model, adam)
    history = ensembles.fit(model)
    losses = [ensembles.fit(copy)["loss"] for copy in copies]
    _assert_trained_alike(model, copies, before, history, losses)


def test_split_batches_are_a_part_for_each_member():
    def momentum():
        return keras.optimizers.SGD(0.1, momentum=0.9)

    model = ensembles.ensemble(
        ensembles.noisy_network(), optimizer=momentum(), split_batches=True
    )
    before = [np.array(variable) for variable in model.trainable_variables]
    copies = _copies(model, momentum)
    history = ensembles.fit(model, X[:16], Y[:16])
    # Batches of eight examples: four for each member.
    rows = np.arange(16).reshape(2, 2, 4)
    losses = [
        ensembles.fit(copy, X[part], Y[part], batch_size=4)["loss"]
        for copy, part in zip(copies, (rows[:, 0].ravel(), rows[:, 1].ravel()))
    ]
    _assert_trained_alike(model, copies, before, history, losses)


@pytest.mark.parametrize("split", [False, True])
def test_metrics_see_the_mean_prediction_or_each_its_own_part(split):
    model = ensembles.ensemble(num_members=4, split_batches=split)
    model.compile("sgd", metrics=["sparse_categorical_crossentropy"])
    probabilities = ensembles.softmax(model.predict_samples(X))
    weights = np.linspace(0, 2, len(X))
    chosen = probabilities.mean(0)
    log_probs = np.log(probabilities[:, np.arange(len(X)), Y])
    if split:
        place = np.repeat(np.arange(4), 5), np.arange(len(X))
        chosen, log_probs = probabilities[place], log_probs[place]
    penalty = np.mean([sum(member.losses) for member in model.members])
    logs = model.train_on_batch(X, Y, weights, return_dict=True)
    nll = -(log_probs * weights).mean()
    assert logs["nll"] == pytest.approx(nll, rel=1e-5)
    assert logs["loss"] == pytest.approx(nll + penalty, rel=1e-5)
    expected = -np.log(chosen[np.arange(len(X)), Y]).mean()
    found = logs["sparse_categorical_crossentropy"]
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_regression_with_a_learned_scale():
    network = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model = ensembles.ensemble(
        network,
        likelihood="normal_learned_scale",
        adversarial_epsilon=0.01,
        optimizer=keras.optimizers.Adam(0.1),
    )
    y = (3 + 0.1 * X[:, :1]).astype("float32")
    samples = model.predict_samples(X).astype(np.float64)
    scale = np.log1p(np.exp(samples[..., 1:])) + 1e-6
    log_probs = (
        -0.5 * ((y - samples[..., :1]) / scale) ** 2
        - np.log(scale)
        - 0.5 * np.log(2 * np.pi)
    )
    first = model.train_on_batch(X, y, return_dict=True)
    assert first["nll"] == pytest.approx(-log_probs.mean(), rel=1e-5)
    ensembles.fit(model, X, y, epochs=60, batch_size=20)
    last = model.evaluate(X, y, return_dict=True)
    assert last["nll"] < first["nll"] - 1
    expected = model.predict_samples(X)[..., :1].mean(0)
    np.testing.assert_allclose(model.predict(X), expected, **CLOSE)
    np.testing.assert_allclose(model(X), expected, **CLOSE)


@pytest.fixture(scope="module")
def trained():
    model = ensembles.ensemble(ensembles.noisy_network(), num_members=3)
    ensembles.fit(model, X[:16], Y[:16])
    return model


def test_draws_are_the_members(trained):
    samples = trained.predict_samples(X, batch_size=7)
    assert samples.shape == (3, len(X), 3) and samples.dtype == np.float32
    networks = list(trained.networks())
    for index, member in enumerate(trained.members):
        expected = member(X, training=False)
        np.testing.assert_allclose(samples[index], expected, **CLOSE)
        np.testing.assert_allclose(networks[index](X), expected, **CLOSE)
    np.testing.assert_array_equal(
        trained.predict_samples(X, 2, batch_size=7, seed=9), samples[:2]
    )
    # One program serves all members, a second one batches of other sizes.
    assert trained._forward().experimental_get_tracing_count() <= 2


@pytest.mark.parametrize("how", ["run_eagerly", "jit_compile"])
def test_how_it_is_compiled_does_not_matter(trained, how):
    expected = trained.predict_samples(X)
    trained.compile("adam", **{how: True})
    found = trained.predict_samples(X)
    trained.compile("adam", metrics=["accuracy"])
    np.testing.assert_allclose(found, expected, **CLOSE)


def test_draw_is_a_copy():
    model = ensembles.ensemble(ensembles.noisy_network())
    plain, before = model.draw(index=1), model.predict_samples(X)[1]
    model.train_on_batch(X, Y)
    np.testing.assert_allclose(plain(X), before, **CLOSE)
    assert np.abs(model.predict_samples(X)[1] - before).max() > 1e-3
    ours = {id(variable) for variable in model.variables}
    assert not any(id(variable) in ours for variable in plain.variables)


def test_the_mean_prediction(trained):
    draws = ensembles.softmax(trained.predict_samples(X).astype(np.float64))
    for found in (trained.predict(X), trained(X), trained.predict_on_batch(X)):
        np.testing.assert_allclose(found, draws.mean(0), **CLOSE)
    logs = trained.evaluate(X, Y, return_dict=True)
    expected = -np.log(draws.mean(0)[np.arange(len(X)), Y]).mean()
    assert logs["nll"] == logs["loss"] == pytest.approx(expected, rel=1e-5)
    right = draws.mean(0).argmax(1) == Y
    assert logs["accuracy"] == pytest.approx(right.mean())
    np.testing.assert_allclose(
        trained.predict_uncertainty(X)["mutual_information"],
        uncertainty.mutual_information(draws),
        **CLOSE,
    )


def test_networks_can_be_attacked(trained):
    moved = bbh.attacks.fgsm(trained.networks(), X, Y, 0.1, clip_range=None)
    nll = trained.evaluate(X, Y, return_dict=True)["nll"]
    assert trained.evaluate(moved, Y, return_dict=True)["nll"] > nll + 0.01


def test_training_goes_on_as_if_never_stopped(tmp_path):
    network = ensembles.noisy_network()
    network.compile("adam", "mse")
    model = ensembles.ensemble(
        network,
        adversarial_epsilon=0.1,
        adversarial_weight=0.25,
        adversarial_clip_range=(-2, 2),
        split_batches=True,
        seed=-(2**40),
    )
    ensembles.fit(model, X[:16], Y[:16])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    # As JSON, where Keras' tuples and lists are alike.
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    np.testing.assert_array_equal(
        model.predict_samples(X), loaded.predict_samples(X)
    )
    assert int(loaded.optimizer.iterations) == 4
    before = small_models.state(loaded)
    for one in (model, loaded):
        ensembles.fit(one, X[:16], Y[:16])
    after = small_models.state(loaded)
    for old, new in zip(small_models.state(model), after, strict=True):
        np.testing.assert_array_equal(old, new)
    assert sum((a != b).any() for a, b in zip(before, after)) > 20


def test_a_model_that_was_not_compiled(tmp_path):
    model = bbh.models.DeepEnsemble(ensembles.network(), likelihood="normal")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert not loaded.compiled and len(loaded.members) == 5
    assert loaded.seed == model.seed
    np.testing.assert_array_equal(
        model.predict_samples(X), loaded.predict_samples(X)
    )


def test_the_number_that_predicts_is_kept(tmp_path):
    model = ensembles.ensemble()
    assert model.num_prediction_samples == 2
    model.num_prediction_samples = 1
    expected = model.predict(X, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    copy = bbh.models.DeepEnsemble.from_config(model.get_config())
    for again in (loaded, copy):
        assert again.num_prediction_samples == 1
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), expected)


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.TimeDistributed(layers.Dense(2)),
        lambda: layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)]),
    ],
)
def test_loaded_members_share_no_inner_layer(make, tmp_path):
    network = keras.Sequential(
        [keras.Input((3, 4)), make(), layers.Flatten(), layers.Dense(3)]
    )
    # A fresh LSTM, whose forget gate begins at 1, does not look trained.
    model = bbh.models.DeepEnsemble(network, 3, seed=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    ensembles.assert_same_weights(loaded, model)


def test_clone_model_begins_the_same():
    model = ensembles.ensemble(ensembles.network(seed=1))
    clone = keras.models.clone_model(model)
    ensembles.assert_same_weights(clone, model)
    assert not any(a is b for a, b in zip(clone.weights, model.weights))


def _new(**kwargs):
    return bbh.models.DeepEnsemble(ensembles.network(), **kwargs)


CASES = {
    "num_members 0": (
        lambda: _new(num_members=0),
        "num_members to be a positive integer; got 0",
    ),
    "seed float": (lambda: _new(seed=1.5), "made of integers; got 1.5"),
    "loss in compile": (
        lambda: _new().compile("adam", loss="mse"),
        "DeepEnsemble takes its loss from the likelihood.* got loss='mse'",
    ),
    "no labels": (
        lambda: ensembles.ensemble().train_on_batch(X),
        "Training needs labels",
    ),
    "the loss of means": (
        lambda: _new().compute_loss(y=Y, y_pred=_new()(X)),
        "DeepEnsemble returns mean predictions.*; the loss of the mean",
    ),
    "too many draws": (
        lambda: _new().predict(X, num_samples=6),
        "num_samples to be at most the number of members, 5; got 6",
    ),
    "no draw": (lambda: _new().predict(X, num_samples=0), "num_samples.*got 0"),
    "no such member": (
        lambda: _new().draw(index=5),
        "index to be an integer from 0 to 4; got 5",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refused_in_one_line(name):
    call, message = CASES[name]
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)

"""Predictions: fixed draws, whatever the batches, the loop or the source."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bbh_tf import uncertainty
from bbh_tf.models import data_blocks
from bbh_tf.models import predictor
from tests.models import small_models

# One network in programs of other shapes: float32 sums in another order.
CLOSE = {"rtol": 1e-5, "atol": 1e-5}
X, Y = small_models.data(20)


@pytest.fixture(scope="module")
def model():
    return small_models.model(metrics=["accuracy"])


@pytest.fixture(scope="module")
def samples(model):
    return model.predict_samples(X, 100, seed=5)


def _softmax(logits):
    values = np.exp(logits - logits.max(-1, keepdims=True))
    return values / values.sum(-1, keepdims=True)


def _nll(samples, labels):
    right = _softmax(samples.astype(np.float64))[:, np.arange(len(X)), labels]
    return -np.log(right.mean(0)).mean()


@pytest.mark.parametrize("batch_size", [1, 7, 100, 1000])
def test_batch_size_does_not_matter(model, samples, batch_size):
    assert samples.shape == (100, 20, 3)
    assert samples.dtype == np.float32
    again = model.predict_samples(X, 100, 5, batch_size=batch_size)
    np.testing.assert_allclose(again, samples, **CLOSE)


@pytest.mark.parametrize("how", ["run_eagerly", "jit_compile"])
def test_how_it_is_compiled_does_not_matter(samples, how):
    other = small_models.model(compiled=False)
    reference = small_models.model(other.network)
    other.compile("sgd", **{how: True})
    np.testing.assert_allclose(
        other.predict_samples(X, 5, seed=5),
        reference.predict_samples(X, 5, seed=5),
        **CLOSE,
    )
    for ours, theirs in zip(
        other._predictor().weights(5, 2), reference._predictor().weights(5, 2)
    ):
        for left, right in zip(ours, theirs):
            np.testing.assert_allclose(left, right, rtol=1e-6)


def test_the_first_ten_of_a_hundred(model, samples):
    ten = model.predict_samples(X, 10, seed=5)
    np.testing.assert_array_equal(ten, samples[:10])


@pytest.mark.parametrize("block_bytes", [1, 2**28])
def test_draws_can_be_written_to_disk(
    model, samples, tmp_path, monkeypatch, block_bytes
):
    monkeypatch.setattr(data_blocks, "_BLOCK_BYTES", block_bytes)
    out = np.lib.format.open_memmap(
        tmp_path / "draws.npy", "w+", np.float32, (9, 20, 3)
    )
    found = model.predict_samples(X, 9, seed=5, batch_size=8, out=out)
    assert found is out
    out.flush()
    np.testing.assert_allclose(
        np.load(tmp_path / "draws.npy"), samples[:9], **CLOSE
    )


@pytest.mark.parametrize(
    "shape", [(9, 19, 3), (9, 21, 3), (8, 20, 3), (9, 20, 2)]
)
def test_an_array_of_another_shape_is_refused(model, shape):
    with pytest.raises(ValueError, match="Expected out to have room for"):
        model.predict_samples(X, 9, batch_size=8, out=np.zeros(shape, "f4"))


def test_an_array_that_would_round_outputs_is_refused(model):
    with pytest.raises(ValueError, match="of a float type; got int32"):
        model.predict_samples(X, 9, out=np.zeros((9, 20, 3), "int32"))


def test_draws_are_made_a_few_at_once_or_alone(model, samples, monkeypatch):
    monkeypatch.setattr(predictor, "_DRAW_BYTES", 1)
    other = small_models.model(model.network)
    alone = other.predict_samples(X, 10, seed=5)
    np.testing.assert_allclose(alone, samples[:10], **CLOSE)


def test_networks_are_the_draws(model, samples):
    networks = list(model.networks(9, seed=5))
    assert len(networks) == 9
    for network, expected in zip(networks, samples):
        np.testing.assert_allclose(network(X), expected, **CLOSE)


def test_draws_and_seeds_differ(model, samples):
    other = model.predict_samples(X, 2, seed=6)
    assert np.abs(other - samples[:2]).max() > 1e-3
    assert len(np.unique(samples[:, 0, 0])) == 100


def test_draw_is_a_row(model, samples):
    plain = model.draw(seed=5, index=7)
    np.testing.assert_allclose(plain(X), samples[7], **CLOSE)


def test_predict_averages_probabilities(model, samples):
    expected = _softmax(samples).mean(0)
    got = model.predict(X, num_samples=100, seed=5)
    np.testing.assert_allclose(got, expected, **CLOSE)
    logits_first = _softmax(samples.mean(0))
    assert np.abs(got - logits_first).max() > 1e-4
    np.testing.assert_allclose(
        model.predict_on_batch(X), model.predict(X, num_samples=4), **CLOSE
    )


def test_predict_knows_no_order(model):
    order = np.random.default_rng(1).permutation(len(X))
    np.testing.assert_allclose(
        model.predict(X[order], batch_size=3), model.predict(X)[order], **CLOSE
    )


def test_predict_uncertainty(model, samples):
    got = model.predict_uncertainty(X, 100, seed=5, batch_size=6)
    draws = _softmax(samples.astype(np.float64))
    np.testing.assert_allclose(got["probabilities"], draws.mean(0), **CLOSE)
    np.testing.assert_allclose(
        got["entropy"], uncertainty.predictive_entropy(draws.mean(0)), **CLOSE
    )
    np.testing.assert_allclose(
        got["mutual_information"],
        uncertainty.mutual_information(draws),
        **CLOSE,
    )


def test_evaluate_scores_the_mean(model, samples):
    logs = model.evaluate(X, Y, return_dict=True, num_samples=100, seed=5)
    assert logs.keys() == {"loss", "nll", "accuracy"}
    assert logs["nll"] == pytest.approx(_nll(samples, Y), rel=1e-5)
    assert logs["loss"] == logs["nll"]
    right = _softmax(samples).mean(0).argmax(1) == Y
    assert logs["accuracy"] == pytest.approx(right.mean())
    listed = model.evaluate(X, Y, num_samples=100, seed=5, batch_size=3)
    assert sorted(listed) == pytest.approx(sorted(logs.values()), rel=1e-5)


def test_evaluate_weighs_as_keras_does(model, samples):
    weights = np.linspace(0, 2, len(X))
    logs = model.evaluate(
        X, Y, sample_weight=weights, return_dict=True, num_samples=100, seed=5
    )
    right = _softmax(samples.astype(np.float64))[:, np.arange(len(X)), Y]
    expected = (-np.log(right.mean(0)) * weights).mean()
    assert logs["nll"] == pytest.approx(expected, rel=1e-5)


def test_test_on_batch(model):
    # It has nothing of what was before it.
    model.evaluate(X, (Y + 1) % 3)
    logs = model.test_on_batch(X, Y, return_dict=True)
    expected = model.evaluate(X, Y, return_dict=True)
    assert logs == pytest.approx(expected, rel=1e-5)


class _Sequence(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        part = slice(8 * index, 8 * index + 8)
        return X[part], Y[part]


def _sources():
    batches = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
    sequence = _Sequence()
    return {
        "tf.data": batches,
        "PyDataset": sequence,
        "generator": (sequence[i] for i in range(3)),
        "tensors": (tf.constant(X), tf.constant(Y)),
    }


@pytest.mark.parametrize("source", _sources())
def test_sources_of_data(model, source):
    given = _sources()[source]
    given = given if isinstance(given, tuple) else (given,)
    logs = model.evaluate(*given, return_dict=True)
    expected = model.evaluate(X, Y, return_dict=True)
    assert logs == pytest.approx(expected, rel=1e-5)
    x = _sources()[source]
    x = x[0] if isinstance(x, tuple) else x
    np.testing.assert_allclose(model.predict(x), model.predict(X), **CLOSE)
    steps = model.predict_samples(_sources()["tf.data"], 2, steps=2)
    assert steps.shape == (2, 16, 3)


@pytest.mark.parametrize("form", ["dict", "list"])
def test_several_inputs(form):
    inputs = {
        "a": keras.Input((4,), name="a"),
        "b": keras.Input((4,), name="b"),
    }
    joined = keras.layers.Concatenate()(list(inputs.values()))
    logits = keras.layers.Dense(3)(joined)
    inputs = inputs if form == "dict" else list(inputs.values())
    plain = keras.Model(inputs, logits)
    for scope in ("layer", "network"):
        network = small_models.bbh.models.bayesify(
            plain, small_models.implicit(), scope=scope
        )
        model = small_models.model(network)
        x = {"a": X, "b": -X} if form == "dict" else [X, -X]
        model.fit(x, Y, batch_size=8, verbose=0)
        samples = model.predict_samples(x, 3, batch_size=6)
        np.testing.assert_allclose(model.draw(0, 2)(x), samples[2], **CLOSE)
        mean = model.predict(x, num_samples=3)
        np.testing.assert_allclose(mean, _softmax(samples).mean(0), **CLOSE)


def test_validation_data(model):
    other = small_models.model(metrics=["accuracy"])
    history = other.fit(X, Y, validation_data=(X[:9], Y[:9]), verbose=0)
    logs = other.evaluate(X[:9], Y[:9], return_dict=True)
    for name, value in logs.items():
        assert history.history[f"val_{name}"] == [pytest.approx(value)]
    batches = tf.data.Dataset.from_tensor_slices((X[:9], Y[:9])).batch(2)
    other.fit(X, Y, validation_data=batches, validation_steps=2, verbose=0)


def test_blocks_smaller_than_the_data(model, samples, monkeypatch):
    whole = model.predict(X, batch_size=2), model.evaluate(X, Y)
    unsure = model.predict_uncertainty(X)
    # A batch of two examples has 32 bytes.
    monkeypatch.setattr(data_blocks, "_BLOCK_BYTES", 100)
    assert len(list(data_blocks.batches(X, batch_size=2).blocks())) == 3
    again = model.predict_samples(X, 100, seed=5, batch_size=2)
    np.testing.assert_allclose(again, samples, **CLOSE)
    np.testing.assert_allclose(
        model.predict(X, batch_size=2), whole[0], **CLOSE
    )
    assert model.evaluate(X, Y, batch_size=2) == pytest.approx(whole[1])
    for name, values in model.predict_uncertainty(X, batch_size=2).items():
        np.testing.assert_allclose(values, unsure[name], **CLOSE)

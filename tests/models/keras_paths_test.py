"""Prediction and evaluation go the ways of Keras' own: data and callbacks."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf.models import data_blocks
from bbh_tf.models import worker_training
from tests.models import small_models

X, Y = small_models.data(20)


@pytest.fixture(name="model", scope="module")
def fixture_model():
    return small_models.model(metrics=["accuracy"])


class _Recorder(keras.callbacks.Callback):
    """Writes down what is called."""

    def __init__(self):
        super().__init__()
        self.calls = []
        for of in ("test", "predict"):
            for when in ("begin", "end", "batch_begin", "batch_end"):
                self._record(f"on_{of}_{when}")

    def _record(self, name):
        def record(*args, logs=None):
            args = args if logs is None else (*args, logs)
            self.calls.append((name, *args))

        setattr(self, name, record)

    def names(self):
        return [name for name, *_ in self.calls]


def _stock():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, metrics=["accuracy"])
    return network


def test_callbacks_are_called_as_keras_calls_them(model):
    found = []
    for one in (model, _stock()):
        recorder = _Recorder()
        callbacks = {"callbacks": [recorder], "verbose": 0, "batch_size": 8}
        one.evaluate(X, Y, **callbacks)
        one.predict(X, **callbacks)
        one.fit(X, Y, validation_data=(X, Y), **callbacks)
        found.append(recorder.names())
    assert found[0] == found[1]
    assert found[0].count("on_test_batch_end") == 6


def test_callbacks_are_given_what_there_is(model):
    recorder = _Recorder()
    logs = model.evaluate(
        X, Y, 8, 0, callbacks=[recorder], return_dict=True, seed=1
    )
    last = [args for name, *args in recorder.calls if name.endswith("h_end")]
    assert [step for step, _ in last] == [0, 1, 2]
    assert last[2][1] == pytest.approx(logs)
    first = model.evaluate(X[:8], Y[:8], verbose=0, return_dict=True, seed=1)
    assert last[0][1] == pytest.approx(first, rel=1e-5)
    mean = model.predict(X, 8, 0, callbacks=[recorder])
    outputs = [
        args[1]["outputs"]
        for name, *args in recorder.calls
        if name == "on_predict_batch_end"
    ]
    np.testing.assert_array_equal(np.concatenate(outputs), mean)


class _Counts(keras.metrics.Metric):
    """A metric of several values, by name."""

    def __init__(self):
        super().__init__(name="counts")
        self.count = self.add_weight(shape=(), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count.assign_add(tf.cast(tf.shape(y_true)[0], tf.float32))

    def result(self):
        return {"examples": self.count + 0.0, "both": tf.fill([2], self.count)}


def test_metrics_of_several_values():
    model = small_models.model(compiled=False)
    model.compile(
        keras.optimizers.Adam(0.01),
        metrics=[keras.metrics.F1Score(average=None), _Counts()],
        run_eagerly=True,
    )
    labels = np.eye(3)[Y]
    history = model.fit(
        X, labels, validation_data=(X, labels), verbose=0
    ).history
    found = model.evaluate(X, labels, verbose=0, return_dict=True)
    expected = keras.metrics.F1Score(average=None)
    expected.update_state(labels, model.predict(X, verbose=0))
    for scores in (found["f1_score"], history["val_f1_score"][0]):
        assert isinstance(scores, np.ndarray)
        np.testing.assert_allclose(scores, expected.result(), rtol=1e-6)
    assert isinstance(found["examples"], float) and found["examples"] == 20
    np.testing.assert_array_equal(found["both"], [20, 20])
    # What several workers tell each other, of one.
    steps = worker_training.function(model, model.train_step)
    logs = steps(iter([(tf.constant(X), tf.constant(labels))]))
    assert logs["f1_score"].shape == (3,) and logs["nll"].shape == ()
    assert logs["counts"]["both"].shape == (2,)


def test_a_callback_can_stop(model, monkeypatch):
    class Stop(keras.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            self.model.stop_evaluating = True

        def on_predict_batch_end(self, batch, logs=None):
            self.model.stop_predicting = True

    whole = model.evaluate(X[:8], Y[:8], verbose=0)
    # In one block, and in one of each batch.
    for size in (1000, 1):
        monkeypatch.setattr(data_blocks, "_BLOCK_BYTES", size)
        stopped = model.evaluate(X, Y, 8, 0, callbacks=[Stop()])
        assert stopped == pytest.approx(whole, rel=1e-5)
        assert model.predict(X, 8, 0, callbacks=[Stop()]).shape == (8, 3)


def test_the_progress_bar_is_shown_unless_told_not_to(model, capsys):
    model.predict(X, 8, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.test_on_batch(X, Y)
    model.predict_on_batch(X)
    assert not capsys.readouterr().out
    model.predict(X, 8, verbose=2)
    model.evaluate(X, Y, 8, verbose=2)
    shown = capsys.readouterr().out
    assert shown.count("3/3") == 2
    assert "nll" in shown


class _Endless(keras.utils.PyDataset):
    """Counts its batches by `num_batches`, and has no length."""

    def __init__(self, num_batches, **kwargs):
        super().__init__(**kwargs)
        self._num_batches = num_batches
        self.ends = 0

    @property
    def num_batches(self):
        return self._num_batches

    def __getitem__(self, index):
        part = slice(8 * (index % 3), 8 * (index % 3) + 8)
        return X[part], Y[part]

    def on_epoch_end(self):
        self.ends += 1


@pytest.mark.parametrize("settings", [{}, {"workers": 2}])
def test_data_sets_that_count_their_batches(model, settings):
    expected = model.evaluate(X, Y, verbose=0)
    data = _Endless(3, **settings)
    assert model.evaluate(data, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert data.ends == 1
    assert model.predict(_Endless(3, **settings), verbose=0).shape == (20, 3)
    infinite = _Endless(None, **settings)
    assert model.predict(infinite, verbose=0, steps=2).shape == (16, 3)


def test_validation_on_data_that_fit_has_looked_into(model):
    def batches(times):
        for index in range(3 * times):
            part = slice(8 * (index % 3), 8 * (index % 3) + 8)
            yield X[part], Y[part]

    model = small_models.model()
    model.optimizer.learning_rate = 0.0
    expected = model.evaluate(X, Y, verbose=0, return_dict=True)
    for data, steps in (
        (batches(1), None),
        (batches(2), 3),
        (_Endless(3), None),
    ):
        with (
            pytest.warns(match="A generator gives")
            if (steps is None and hasattr(data, "__next__"))
            else contextlib.nullcontext()
        ):
            history = model.fit(
                X,
                Y,
                epochs=2,
                validation_data=data,
                validation_steps=steps,
                verbose=0,
            ).history
        assert history["val_nll"][0] == pytest.approx(expected["nll"])
        if steps or not hasattr(data, "__next__"):
            assert history["val_nll"][1] == pytest.approx(expected["nll"])


def test_other_forms_of_data(model):
    expected = model.predict(X, verbose=0)
    for data in (
        X.astype("float64"),
        iter([(X[:8],), (X[8:],)]),
        tf.data.Dataset.from_tensor_slices(X).batch(8).repeat(1),
    ):
        np.testing.assert_allclose(
            model.predict(data, verbose=0), expected, rtol=1e-4, atol=1e-6
        )
    with pytest.warns(UserWarning, match="Expected 9 steps of data; got 2"):
        model.predict(iter([(X[:8],), (X[8:],)]), steps=9, verbose=0)
    with pytest.raises(ValueError, match="at least one example"):
        model.predict(iter([]))
    with pytest.raises(ValueError, match="at least one example"):
        model.predict(X[:0])


@pytest.mark.parametrize("kind", ["tf.data", "PyDataset"])
def test_data_without_an_end_are_refused(kind):
    model = small_models.model()
    endless = _Endless(None)
    if kind == "tf.data":
        endless = tf.data.Dataset.from_tensor_slices((X, Y)).repeat().batch(8)
    for function in (
        model.predict,
        model.evaluate,
        lambda x: model.fit(X, Y, validation_data=x, verbose=0),
        lambda x: bbh.postprocessing.with_temperature(model, x),
        lambda x: bbh.models.laplace(_stock(), x),
    ):
        with pytest.raises(ValueError, match="that end, or a number of steps"):
            function(endless)
    found = model.predict(endless, steps=2, verbose=0)
    assert found.shape == (16, 3)


def test_images_of_any_size_have_one_mask_in_a_draw():
    network = keras.Sequential(
        [
            keras.Input((None, None, 2)),
            bbh.layers.MCDropout(0.5),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    make = small_models.model
    model = make(network)
    ones = np.ones((5, 6, 7, 2), "float32")
    samples = model.predict_samples(ones, 20, seed=1)
    # All examples share a mask; draws do not.
    assert (samples == samples[:, :1]).all()
    assert len({tuple(row) for row in samples[:, 0].round(5).tolist()}) > 15
    np.testing.assert_allclose(samples[:, 0].mean(), 1.0, atol=4 / 40.9)
    np.testing.assert_array_equal(
        model.predict_samples(ones[:2], 3, seed=1), samples[:3, :2]
    )
    compiled = make(network, compiled=False)
    compiled.compile(jit_compile=True)
    np.testing.assert_allclose(
        compiled.predict_samples(ones, 3, seed=1), samples[:3], rtol=1e-5
    )
    assert model.predict(np.ones((1, 3, 4, 2)), verbose=0).shape == (1, 2)
    channels = bbh.layers.MCDropout(0.5, noise_shape=(None, 1, 1, None))
    whole = keras.Sequential([keras.Input((None, None, 2)), channels])
    (drawn,) = make(whole).predict_samples(ones, 1)
    assert (drawn == drawn[:1, :1, :1]).all()

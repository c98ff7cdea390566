"""A temperature fits held-out labels, and is kept with the model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import postprocessing
from tests.models import ensembles
from tests.models import small_models

X, Y = small_models.data(20)
_TEMPERED = 2.5


def _nll(logits, labels, temperature):
    probabilities = bbh.uncertainty.class_probabilities(logits / temperature)
    return bbh.uncertainty.negative_log_likelihood(
        probabilities.mean(axis=0), labels
    )


def _draws(num_samples, sharpness, count=400, seed=0):
    """Logits whose labels are what the mean of softmax(logits) says."""
    generator = np.random.default_rng(seed)
    logits = 2.0 * generator.normal(size=(num_samples, count, 4))
    mean = bbh.uncertainty.class_probabilities(logits).mean(axis=0)
    below = mean.cumsum(axis=1) < generator.random((count, 1))
    return sharpness * logits, np.minimum(below.sum(axis=1), 3)


@pytest.mark.parametrize("num_samples", [1, 6])
@pytest.mark.parametrize("sharpness", [0.2, 1.0, 4.0])
def test_the_temperature_is_that_of_the_labels(num_samples, sharpness):
    logits, labels = _draws(num_samples, sharpness)
    found = postprocessing.fit_temperature(logits, labels)
    nll = _nll(logits, labels, found)
    assert nll <= _nll(logits, labels, 1.0)
    grid = np.geomspace(0.02, 50, 400)
    best = min(_nll(logits, labels, t) for t in grid)
    assert nll <= best + 1e-9
    # The likelihood's curvature says how exactly 400 labels tell it.
    step = 0.05
    curvature = (
        _nll(logits, labels, found * np.exp(step))
        + _nll(logits, labels, found * np.exp(-step))
        - 2 * nll
    ) / step**2
    error = 1 / np.sqrt(len(labels) * curvature)
    assert abs(np.log(found / sharpness)) < 3 * error
    if num_samples == 1:
        alone = postprocessing.fit_temperature(logits[0], labels)
        assert alone == found


def test_labels_of_pixels():
    logits, labels = _draws(3, 4.0)
    expected = postprocessing.fit_temperature(logits, labels)
    pixels = logits.reshape(3, 4, 10, 10, 4), labels.reshape(4, 10, 10)
    assert postprocessing.fit_temperature(*pixels) == pytest.approx(expected)


def test_extreme_logits_are_finite():
    logits = np.array([[[1e4, 0.0], [1e4, 0.0], [0.0, 1e4], [0.0, 1e4]]])
    with pytest.warns(UserWarning, match="highest temperature .*, 50"):
        found = postprocessing.fit_temperature(logits, [0, 1, 0, 1])
    assert found == pytest.approx(50)
    with pytest.warns(UserWarning, match="lowest temperature .*, 0.02"):
        postprocessing.fit_temperature(logits / 1e3, [0, 0, 1, 1])


def _model():
    return small_models.model(num_prediction_samples=6)


def _ensemble():
    return ensembles.ensemble()


@pytest.mark.parametrize("make", [_model, _ensemble])
def test_a_model_predicts_and_evaluates_under_it(make):
    model = make()
    assert model.temperature == 1.0
    samples = model.predict_samples(X)
    plain = model.predict_uncertainty(X)
    drawn = model.draw().predict(X, verbose=0)
    model.temperature = _TEMPERED
    expected = bbh.uncertainty.class_probabilities(samples / _TEMPERED)
    close = {"atol": 1e-5}
    np.testing.assert_allclose(model.predict(X), expected.mean(0), **close)
    found = model.predict_uncertainty(X)
    np.testing.assert_allclose(
        found["probabilities"], expected.mean(0), **close
    )
    assert np.abs(found["entropy"] - plain["entropy"]).max() > 1e-3
    scores = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert scores["nll"] == pytest.approx(_nll(samples, Y, _TEMPERED), 1e-5)
    # Outputs are what they were, and so is training.
    np.testing.assert_array_equal(model.predict_samples(X), samples)
    np.testing.assert_array_equal(model.draw().predict(X, verbose=0), drawn)
    losses = {}
    for temperature in (1.0, _TEMPERED):
        keras.utils.set_random_seed(0)
        again = make()
        again.compile("sgd", run_eagerly=True)
        again.temperature = temperature
        history = again.fit(X, Y, batch_size=20, epochs=1, verbose=0).history
        losses[temperature] = history["nll"]
    assert losses[1.0] == losses[_TEMPERED]


def test_the_loss_of_outputs_knows_none():
    model = _model()
    outputs = tf.constant(model.predict_samples(X)[0])
    loss = float(model.compute_loss(y=Y, y_pred=outputs))
    model.temperature = _TEMPERED
    assert float(model.compute_loss(y=Y, y_pred=outputs)) == loss


def test_fitting_it_does_not_raise_the_nll():
    model = _ensemble()
    model.fit(X, Y, batch_size=20, epochs=30, verbose=0)
    before = model.evaluate(X, Y, verbose=0, return_dict=True)["nll"]
    assert postprocessing.with_temperature(model, X, Y) is model
    found = model.temperature
    assert found != 1.0
    postprocessing.with_temperature(model, X, Y[:, None])
    assert model.temperature == found
    after = model.evaluate(X, Y, verbose=0, return_dict=True)["nll"]
    assert after < before


@pytest.mark.parametrize("way", [".keras", ".weights.h5", "checkpoint"])
def test_it_is_kept_and_programs_read_it(way, tmp_path):
    model, path = _model(), str(tmp_path / "model")
    model.temperature = _TEMPERED
    kept = _model()
    # Compiled under the temperature that it had.
    assert (kept.predict(X) != model.predict(X)).any()
    if way == "checkpoint":
        written = tf.train.Checkpoint(model=model).write(path)
        tf.train.Checkpoint(model=kept).read(written).assert_consumed()
    elif way == ".keras":
        model.save(path + way)
        kept = keras.models.load_model(path + way)
    else:
        model.save_weights(path + way)
        kept.load_weights(path + way)
    assert kept.temperature == _TEMPERED
    np.testing.assert_array_equal(kept.predict(X), model.predict(X))


def test_files_that_are_older_load(tmp_path, monkeypatch):
    monkeypatch.setattr(
        postprocessing.Temperature, "save_own_variables", lambda *_: None
    )
    _model().save_weights(tmp_path / "old.weights.h5")
    model = _model()
    model.temperature = _TEMPERED
    model.load_weights(tmp_path / "old.weights.h5")
    assert model.temperature == 1.0


def test_a_summary_says_it():
    model, lines = _model(), []
    model.summary(print_fn=lines.append)
    assert not any("Temperature" in line for line in lines)
    model.temperature = _TEMPERED
    model.summary(print_fn=lines.append)
    assert lines[-1] == "Temperature of predictions: 2.5"


def test_it_is_exported(tmp_path):
    model = _model()
    model.temperature = _TEMPERED
    model.export(tmp_path / "served")
    served = tf.saved_model.load(tmp_path / "served")
    outputs = served.serve(X)
    for name, values in model.predict_uncertainty(X).items():
        np.testing.assert_allclose(outputs[name], values, atol=1e-5)


def _plain(kind):
    made = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="logits")]
    )
    if kind == "functional":
        inputs = {"a": keras.Input((4,), name="a")}
        return keras.Model(inputs, made(inputs["a"])), {"a": X}
    return made, X


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_a_plain_model_is_given_a_layer(kind, tmp_path):
    model, x = _plain(kind)
    # 14 of 20 predicted rightly.
    labels = model.predict(x, verbose=0).argmax(1)
    labels[14:] = (labels[14:] + 1) % 3
    tempered = postprocessing.with_temperature(model, x, labels[:, None])
    temperature = tempered.layers[-1].temperature
    logits = model.predict(x, verbose=0)
    assert temperature == pytest.approx(
        postprocessing.fit_temperature(logits, labels)
    )
    expected = tempered.predict(x, verbose=0)
    np.testing.assert_allclose(expected, logits / temperature, rtol=1e-5)
    tempered.save(tmp_path / "tempered.keras")
    again = keras.models.load_model(tmp_path / "tempered.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), expected)
    tempered.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(tmp_path / "served")
    np.testing.assert_allclose(served.serve(x), expected, rtol=1e-5)
    assert not tempered.layers[-1].trainable_variables


def test_half_precision_is_divided_in_float32():
    layer = postprocessing.Temperature(0.5)
    outputs = layer(tf.constant([[60000.0, 0.0]], tf.float16))
    assert outputs.dtype == tf.float32
    np.testing.assert_array_equal(outputs, [[120000.0, 0.0]])


def test_a_plain_model_of_labels_0_and_1():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    labels = np.where(model.predict(X, verbose=0) > 0, 1, 0)
    labels[14:] = 1 - labels[14:]
    tempered = postprocessing.with_temperature(
        model, X, labels, likelihood="bernoulli_logits"
    )
    logits = model.predict(X, verbose=0)
    assert tempered.layers[-1].temperature == pytest.approx(
        postprocessing.fit_binary_temperature(logits, labels)
    )


@pytest.mark.parametrize("num_samples", [1, 6])
def test_of_0_and_1_it_is_that_of_two_classes(num_samples):
    generator = np.random.default_rng(1)
    logits = 9.0 * generator.normal(size=(num_samples, 200, 2))
    labels = generator.random((200, 2)) < 0.5 + 0.3 * np.sign(logits.mean(0))
    found = postprocessing.fit_binary_temperature(logits, labels.astype(int))
    classes = np.stack([np.zeros_like(logits), logits], axis=-1)
    expected = postprocessing.fit_temperature(classes, labels.astype(int))
    assert found == pytest.approx(expected)
    assert abs(np.log(found)) > 0.1
    if num_samples == 1:
        alone = postprocessing.fit_binary_temperature(logits[0], labels)
        assert alone == found


def test_labels_of_no_weight_do_not_count():
    logits, labels = _draws(3, 4.0)
    expected = postprocessing.fit_temperature(logits[:, ::2], labels[::2])
    shown = labels.copy()
    shown[1::2] = 0
    weights = np.arange(len(labels)) % 2 == 0
    found = postprocessing.fit_temperature(logits, shown, 3.0 * weights)
    assert found == pytest.approx(expected)
    assert postprocessing.fit_temperature(logits, shown) != found
    # Of examples whose labels are several.
    logits = logits.reshape(3, 100, 4, 4)
    labels, weights = labels.reshape(100, 4), np.arange(100) % 2
    one = postprocessing.fit_temperature(logits, labels, weights)
    other = postprocessing.fit_temperature(logits[:, 1::2], labels[1::2])
    assert one == pytest.approx(other)


@pytest.mark.parametrize("instead", [255, -1, np.nan, "rows"])
def test_labels_of_no_weight_need_be_none(instead):
    model, x = _plain("sequential")
    # Some are predicted wrongly.
    y = model.predict(x, verbose=0).argmax(1)
    y[12:] = (y[12:] + 1) % 3
    weights = np.arange(len(y)) % 4 > 0
    if instead == "rows":
        shown = np.eye(3)[y] * weights[:, None]
    else:
        shown = np.where(weights, y, instead)
    found, expected = (
        postprocessing.with_temperature(model, x, labels, sample_weight=weights)
        for labels in (shown, y)
    )
    np.testing.assert_array_equal(found(x), expected(x))
    if instead == 255:
        # Weights may have the shape of the labels, as users have these.
        again = postprocessing.with_temperature(
            model, x, shown[:, None], sample_weight=weights[:, None]
        )
        np.testing.assert_array_equal(again(x), expected(x))
    with pytest.raises(ValueError, match="labels: expected"):
        postprocessing.with_temperature(model, x, shown)


def test_numbers_of_no_weight_need_be_none():
    weights = [1.0, 0.0, 1.0, 2.0]
    bits, numbers = [0, np.nan, 1, 1], [0.5, np.inf, 1.0, -1.0]
    logits = [1.0, 9.0, -1.0, 2.0]
    whole = [0, 2, 3]
    for fit, arguments in (
        (postprocessing.fit_binary_temperature, (logits, bits)),
        (postprocessing.fit_std_factor, (logits, [1.0] * 4, numbers)),
    ):
        counted = [np.asarray(x)[whole] for x in (*arguments, weights)]
        assert fit(*arguments, weights) == pytest.approx(fit(*counted))


def _masked_plain():
    tokens = keras.Input((3,), dtype="int32")
    h = keras.layers.Embedding(5, 4, mask_zero=True)(tokens)
    return keras.Model(tokens, {"logits": keras.layers.Dense(3)(h)})


def test_a_plain_model_keeps_keras_mask():
    model = _masked_plain()
    x = np.array([[1, 2, 0], [3, 0, 0], [4, 1, 2]])
    with pytest.raises(ValueError, match="mask, .* sample_weight"):
        postprocessing.with_temperature(model, x, x % 3)
    tempered = postprocessing.with_temperature(
        model, x, x % 3, sample_weight=x != 0
    )
    np.testing.assert_array_equal(tempered(x)._keras_mask, x != 0)
    outer = keras.Sequential([keras.Input((3,), dtype="int32"), model])
    with pytest.raises(ValueError, match="mask, .* sample_weight"):
        postprocessing.with_temperature(outer, x, x % 3)


def _masked():
    network = _masked_plain()
    network = keras.Model(network.input, network.output["logits"])
    network = bbh.models.bayesify(network, bbh.posteriors.MeanField(-2.0))
    return small_models.model(network)


def test_labels_under_keras_mask_want_weights():
    keras.utils.set_random_seed(0)
    model = _masked()
    x = np.array([[1, 2, 0], [3, 0, 0], [4, 1, 2]])
    y = model.predict(x).argmax(axis=-1)
    y[0, 0] = (y[0, 0] + 1) % 3
    with pytest.raises(ValueError, match="mask, .* sample_weight"):
        postprocessing.with_temperature(model, x, y)
    postprocessing.with_temperature(model, x, y, sample_weight=x != 0)
    found = model.temperature
    y[x == 0] = 1
    postprocessing.with_temperature(model, x, y, sample_weight=x != 0)
    assert model.temperature == found


@pytest.mark.parametrize("make", [_model, lambda: _plain("sequential")[0]])
def test_labels_as_keras_users_have_them(make):
    def made():
        keras.utils.set_random_seed(0)
        return make()

    def temperature(labels):
        found = postprocessing.with_temperature(made(), X, labels)
        if isinstance(found, bbh.models.BayesianModel):
            return found.temperature
        return found.layers[-1].temperature

    labels = made().predict(X, verbose=0).argmax(axis=1)
    labels[14:] = (labels[14:] + 1) % 3
    expected = temperature(labels)
    for same in (np.eye(3)[labels], labels[:, None], labels.astype("float32")):
        assert temperature(same) == expected


class _Batches(keras.utils.PyDataset):
    def __init__(self, x, *others):
        super().__init__()
        self._arrays = x, *others

    @property
    def num_batches(self):
        return 3

    def __getitem__(self, index):
        part = slice(8 * index, 8 * index + 8)
        return keras.tree.map_structure(lambda a: a[part], self._arrays)


def test_weights_of_examples_may_have_an_axis_more():
    # As `fit` and `evaluate` take them.
    model = _model()
    weights = np.arange(20) % 3
    right = model.predict(X).argmax(axis=1)
    right[1::4] = (right[1::4] + 1) % 3
    one_hot = np.eye(3)[right] * (weights > 0)[:, None]

    def found(labels, sample_weight):
        postprocessing.with_temperature(
            model, X, labels, sample_weight=sample_weight
        )
        return model.temperature

    for labels in (right, one_hot):
        assert found(labels, weights[:, None]) == found(right, weights)
    generator = np.random.default_rng(0)
    means, labels = generator.normal(size=(2, 20, 4))
    assert postprocessing.fit_std_factor(
        means, np.ones((20, 4)), labels, weights[:, None]
    ) == postprocessing.fit_std_factor(means, np.ones((20, 4)), labels, weights)


def test_data_sets_bring_their_labels():
    model = _model()
    labels = model.predict(X).argmax(axis=1)
    labels[::4] = (labels[::4] + 1) % 3
    weights = np.arange(20) % 3
    for arrays in ((X, labels), (X, labels, weights)):
        weight = arrays[2] if len(arrays) == 3 else None
        postprocessing.with_temperature(model, X, labels, sample_weight=weight)
        expected = model.temperature
        data = tf.data.Dataset.from_tensor_slices(arrays)
        # Another order in each pass.
        data = data.shuffle(20, reshuffle_each_iteration=True).batch(6)
        for batches in (data, _Batches(*arrays)):
            model.temperature = 1.0
            postprocessing.with_temperature(model, batches)
            assert model.temperature == pytest.approx(expected, rel=1e-4)
    for batches, y, message in (
        (data, labels, "order may not be the same"),
        (data.map(lambda x, *_: x), None, "got x alone"),
        (data.take(0), None, "got 0 batches"),
    ):
        with pytest.raises(ValueError, match=message):
            postprocessing.with_temperature(model, batches, y)


def _of_one_s_own():
    def logistic(outputs):
        import tensorflow_probability as tfp

        return tfp.distributions.Logistic(outputs, 1.0)

    return small_models.model(likelihood=logistic)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: postprocessing.Temperature(0), "temperature .* got 0"),
        (lambda: setattr(_model(), "temperature", -1.0), "above 0; got -1"),
        (
            lambda: setattr(_of_one_s_own(), "temperature", 2.0),
            "normal_learned_scale\"; got 'logistic'",
        ),
        (
            lambda: postprocessing.with_temperature(_of_one_s_own(), X, Y),
            "normal_learned_scale\"; got 'logistic'",
        ),
        (
            lambda: postprocessing.with_temperature(
                _model(), X, Y, likelihood="bernoulli_logits"
            ),
            "likelihood=None: .* got 'bernoulli_logits'",
        ),
        (
            lambda: postprocessing.with_temperature(
                _plain("sequential")[0], X, Y, likelihood="normal"
            ),
            "\"bernoulli_logits\"; got 'normal'",
        ),
        (
            lambda: postprocessing.with_temperature(
                _plain("sequential")[0], X, Y, num_samples=7
            ),
            "num_samples=None: an ordinary Keras model .* got 7",
        ),
        (
            lambda: postprocessing.with_temperature(
                _model(), tf.data.Dataset.from_tensor_slices((X, Y))
            ),
            "batches .* got a single number",
        ),
        (
            lambda: postprocessing.with_temperature(
                _model(), X, np.eye(3)[Y], sample_weight=np.eye(3)[Y]
            ),
            r"sample_weight: expected shape \(20,\), .* got \(20, 3\)",
        ),
        (
            lambda: postprocessing.fit_temperature([[1.0], [-1.0]], [0, 0]),
            "two classes or more .* fit_binary_temperature",
        ),
        (
            lambda: postprocessing.fit_temperature(
                np.eye(3), [0, 1, 2], [1, 0, -1]
            ),
            "probabilities",
        ),
        (
            lambda: postprocessing.fit_temperature(
                np.eye(3) - 1, [0, 1, 2], [1, 0, -1]
            ),
            "sample_weight: .* got -1 to 1",
        ),
        (
            lambda: postprocessing.fit_temperature(
                np.eye(3) - 1, [0, 1, 2], [1, 0]
            ),
            r"sample_weight: expected shape \(3,\), .* got \(2,\)",
        ),
        (
            lambda: postprocessing.with_temperature(_model(), X, None),
            "expects labels, y; got None",
        ),
        (
            lambda: postprocessing.with_temperature(
                _model(), X, np.full((20, 3), 1 / 3)
            ),
            "rows that are not one-hot",
        ),
        (
            lambda: postprocessing.fit_binary_temperature([0.2, 0.9], [0, 1]),
            "without a sigmoid, .* from 0.2 to 0.9",
        ),
        (
            lambda: postprocessing.fit_binary_temperature([1.0, 2.0], [0, 2]),
            "labels: expected 0 or 1, got 2",
        ),
        (
            lambda: postprocessing.fit_binary_temperature(
                np.zeros((3, 2)), [0, 1, 1]
            ),
            r"logits: expected shape .* got \(3, 2\) for \(3,\)",
        ),
        (
            lambda: postprocessing.with_temperature(
                keras.layers.Dense(3), X, Y
            ),
            "got a Dense with 0",
        ),
        (
            lambda: postprocessing.fit_temperature([[0.25, 0.75]], [0]),
            "without a softmax; got probabilities",
        ),
        (
            lambda: postprocessing.fit_temperature([[0.2, np.nan]], [0]),
            "logits: expected finite",
        ),
        (
            lambda: postprocessing.fit_temperature(np.zeros((4, 3)), 0),
            "logits: expected shape",
        ),
        (
            lambda: postprocessing.fit_temperature(
                np.zeros((2, 4, 3)), np.zeros(3, int)
            ),
            "labels: expected 4 labels",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()

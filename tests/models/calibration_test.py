"""Each draw finds its own statistics of batch normalisation."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from tests.models import small_models

X, Y = small_models.data(40)
# One network in two programs: float32 sums in another order.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture(name="model", scope="module")
def fixture_model():
    model = small_models.model(
        small_models.network(
            keras.layers.BatchNormalization(momentum=0.9, name="normal"),
            posterior=bbh.posteriors.MeanField(initial_log_variance=-2.0),
        ),
        divergence=bbh.divergences.AnalyticKL(),
    )
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    model.calibration_data = X
    return model


def _outputs_by_hand(model, index, x):
    """Runs draw `index`, normalised by its own statistics on X."""
    data = model.calibration_data
    model.calibration_data = None
    plain = model.draw(seed=4, index=index)
    model.calibration_data = data
    hidden, normal, logits = plain.layers
    entering = np.asarray(hidden(X), np.float64)
    gamma, beta = np.asarray(normal.gamma), np.asarray(normal.beta)
    scale = gamma / np.sqrt(entering.var(0) + normal.epsilon)
    normalised = (np.asarray(hidden(x)) - entering.mean(0)) * scale + beta
    return np.asarray(logits(normalised.astype("float32")))


def test_a_draw_is_normalised_by_its_statistics_on_the_data(model):
    samples = model.predict_samples(X[:6], num_samples=3, seed=4)
    for index, sample in enumerate(samples):
        expected = _outputs_by_hand(model, index, X[:6])
        np.testing.assert_allclose(sample, expected, **CLOSE)


def test_a_prediction_does_not_depend_on_its_batch(model):
    whole = model.predict_samples(X, seed=4)
    order = np.random.default_rng(0).permutation(len(X))
    shuffled = model.predict_samples(X[order], seed=4, batch_size=7)
    np.testing.assert_allclose(shuffled, whole[:, order], **CLOSE)


def test_predicting_changes_no_variable(model):
    before = small_models.state(model)
    model.predict(X)
    for old, new in zip(before, small_models.state(model)):
        np.testing.assert_array_equal(old, new)


def test_a_plain_model_of_a_draw_has_its_statistics(model):
    plain = model.draw(seed=4, index=1)
    samples = model.predict_samples(X, num_samples=2, seed=4)
    np.testing.assert_allclose(plain.predict(X, verbose=0), samples[1], **CLOSE)


def test_functions_of_draws_have_them_too(model):
    samples = model.predict_samples(X, num_samples=2, seed=4)
    for network, sample in zip(model.networks(2, seed=4), samples):
        np.testing.assert_allclose(network(X), sample, **CLOSE)


def test_it_is_saved(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.calibration_data, X)
    np.testing.assert_array_equal(
        loaded.predict_samples(X, seed=4), model.predict_samples(X, seed=4)
    )


def test_without_data_the_moving_averages_count(model):
    with_data = model.predict_samples(X, seed=4)
    model.calibration_data = None
    without = model.predict_samples(X, seed=4)
    model.calibration_data = X
    assert np.abs(with_data - without).max() > 1e-2


def test_a_frozen_layer_keeps_its_statistics():
    frozen = keras.layers.BatchNormalization(trainable=False)
    model = small_models.model(small_models.network(frozen))
    with pytest.raises(ValueError, match="has none"):
        model.calibration_data = X


def test_wrong_data_is_refused(model):
    with pytest.raises(ValueError, match="at least 2 examples for each"):
        model.calibration_data = X[:1]
    with pytest.raises(ValueError, match="Expected calibration_data for a net"):
        small_models.model().calibration_data = X
    assert model.calibration_data is not None


def test_a_layer_that_is_called_twice_has_the_mean_of_both_calls():
    shared = keras.layers.BatchNormalization(momentum=0.8, name="shared")
    inputs = keras.Input((4,))
    there = shared(shared(inputs) + 3 * inputs)
    posterior = bbh.posteriors.MeanField()
    last = bbh.layers.Bayesian(keras.layers.Dense(3), posterior)
    model = small_models.model(keras.Model(inputs, last(there)))
    model.calibration_data = X
    x = np.asarray(X, np.float64)
    scale = np.sqrt(x.var(0) + shared.epsilon)
    second = (x - x.mean(0)) / scale + 3 * x
    drawn = model.draw(index=1).get_layer("shared")
    for found, of_first, of_second in (
        (drawn.moving_mean, x.mean(0), second.mean(0)),
        (drawn.moving_variance, x.var(0), second.var(0)),
    ):
        expected = (0.8 * of_first + of_second) / 1.8
        np.testing.assert_allclose(found, expected, **CLOSE)


def test_a_layer_that_is_not_called_keeps_what_it_has():
    normal = keras.layers.BatchNormalization(name="normal")

    class Skipping(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.normal = normal

        def build(self, input_shape):
            self.normal.build(input_shape)

        def call(self, inputs):
            return inputs

    model = small_models.model(
        small_models.network(Skipping(), keras.layers.BatchNormalization())
    )
    normal.moving_mean.assign([1.0, 2.0, 3.0, 4.0, 5.0])
    model.calibration_data = X
    model.predict_samples(X, num_samples=2)
    predictor = model._predictor()
    pairs = predictor.statistics(predictor.weights(0, 0), X)
    (value,) = [v for variable, v in pairs if variable is normal.moving_mean]
    np.testing.assert_array_equal(value, normal.moving_mean)


def _plain_network():
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.BatchNormalization(momentum=0.9, name="first"),
            keras.layers.Dense(3),
            keras.layers.BatchNormalization(trainable=False, name="frozen"),
        ]
    )


def test_a_plain_network_takes_the_statistics_of_the_data():
    network = _plain_network()
    before = [np.asarray(variable) for variable in network.variables]
    hidden, first = network.layers[:2]
    bbh.models.update_batch_normalization(network, X)
    entering = np.asarray(hidden(X), np.float64)
    np.testing.assert_allclose(first.moving_mean, entering.mean(0), **CLOSE)
    np.testing.assert_allclose(first.moving_variance, entering.var(0), **CLOSE)
    moved = {id(first.moving_mean), id(first.moving_variance)}
    for old, variable in zip(before, network.variables):
        if id(variable) not in moved:
            np.testing.assert_array_equal(variable, old)


def test_a_plain_network_is_calibrated_as_its_only_draw_would_be():
    sharp = small_models.model(
        small_models.network(
            keras.layers.BatchNormalization(momentum=0.9, name="normal"),
            posterior=bbh.posteriors.MeanField(initial_log_variance=-60.0),
        )
    )
    plain = sharp.draw(seed=4, index=1)
    bbh.models.update_batch_normalization(plain, X)
    sharp.calibration_data = X
    (sample,) = sharp.predict_samples(X, num_samples=1, seed=4)
    np.testing.assert_allclose(plain.predict(X, verbose=0), sample, **CLOSE)


def test_a_network_that_cannot_be_updated_is_refused(model):
    update = bbh.models.update_batch_normalization
    with pytest.raises(ValueError, match="inputs to be an array of at least 2"):
        update(_plain_network(), X[:1])
    with pytest.raises(ValueError, match="inputs for a network with Batch"):
        update(keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]), X)
    with pytest.raises(ValueError, match="BayesianModel has calibration_data"):
        update(model.network, X)
    batch = keras.layers.BatchNormalization
    with pytest.raises(ValueError, match="layer 'shaky' has renorm=True"):
        layers = [keras.Input((4,)), batch(renorm=True, name="shaky")]
        update(keras.Sequential(layers), X)
    with pytest.raises(ValueError, match="network that is built"):
        update(keras.Sequential([batch()]), X)


class _Still(keras.layers.Layer):
    """Normalises by the moving statistics, in training too."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.normal = keras.layers.BatchNormalization()

    def build(self, input_shape):
        self.normal.build(input_shape)

    def call(self, inputs):
        return self.normal(inputs, training=False)


@pytest.mark.parametrize("random", [False, True])
def test_what_is_not_written_normalises_by_what_it_has(random):
    dense = keras.layers.Dense(3)
    if random:
        posterior = bbh.posteriors.MeanField(initial_log_variance=-60.0)
        dense = bbh.layers.Bayesian(dense, posterior)
    still, after = _Still(), keras.layers.BatchNormalization()
    network = keras.Sequential([keras.Input((4,)), still, after, dense])
    still.normal.moving_variance.assign([4.0, 9.0, 16.0, 25.0])
    expected = X.var(0) / [4.0, 9.0, 16.0, 25.0]
    if random:
        model = small_models.model(network)
        model.calibration_data = X
        after = model.draw().layers[1]
    else:
        bbh.models.update_batch_normalization(network, X)
    np.testing.assert_allclose(after.moving_variance, expected, rtol=2e-3)
    np.testing.assert_array_equal(still.normal.moving_variance[0], 4.0)


def test_weights_without_data_take_the_data_away(tmp_path):
    models = [
        small_models.model(
            small_models.network(keras.layers.BatchNormalization())
        )
        for _ in "ab"
    ]
    models[0].save_weights(tmp_path / "model.weights.h5")
    models[1].calibration_data = X
    models[1].load_weights(tmp_path / "model.weights.h5")
    assert models[1].calibration_data is None


def test_a_layer_frozen_after_a_prediction_keeps_its_statistics(model):
    model = keras.models.clone_model(model)
    model.calibration_data = X
    normal = model.network.get_layer("normal")
    model.predict(X)
    normal.trainable = False
    normal.moving_mean.assign(np.full(5, 3.0))
    model.compile("adam")
    frozen = model.draw().get_layer("normal")
    np.testing.assert_array_equal(frozen.moving_mean, np.full(5, 3.0))

"""What users bring along from Keras works, or is refused in one line."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import bbh_tf as bbh
from tests.models import small_models

X, Y = small_models.data()
LAYERS = keras.layers


@pytest.fixture(name="model", scope="module")
def fixture_model():
    return small_models.model(metrics=["accuracy"])


@pytest.mark.parametrize(
    "metric",
    [
        keras.metrics.SparseCategoricalCrossentropy(from_logits=True),
        keras.metrics.CategoricalCrossentropy(from_logits=True),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ],
)
@pytest.mark.parametrize("name", ["metrics", "weighted_metrics"])
def test_metrics_of_logits_are_refused(metric, name):
    model = small_models.model(compiled=False)
    with pytest.raises(ValueError, match="expected one with from_logits=False"):
        model.compile("adam", **{name: ["accuracy", metric]})
    model.compile("adam", metrics=[type(metric)(from_logits=False)])


def test_float_labels_are_whole_numbers(model):
    right = model.evaluate(X, Y, verbose=0)
    whole = Y.astype("float32")
    assert model.evaluate(X, whole, verbose=0) == pytest.approx(right)
    for bad in (whole + 0.5, np.where(whole > 0, np.nan, whole)):
        with pytest.raises(ValueError, match="labels, whole numbers"):
            model.evaluate(X, bad, verbose=0)
        with pytest.raises(tf.errors.InvalidArgumentError, match="whole numb"):
            model.fit(X, bad, verbose=0)
    compiled = small_models.model(compiled=False)
    compiled.compile("sgd", jit_compile=True)
    logs = compiled.fit(X, bad, verbose=0).history
    assert np.isnan(logs["nll"]).all()
    with pytest.raises(ValueError, match="labels as one array.* a dict"):
        small_models.model().fit(X, {"logits": Y}, verbose=0)


def test_labels_of_a_bernoulli_are_bits():
    network = keras.Sequential([keras.Input((4,)), LAYERS.Dense(1)])
    model = small_models.model(
        bbh.models.bayesify(network, bbh.posteriors.MeanField()),
        likelihood="bernoulli_logits",
    )
    signs = np.where(Y > 0, 1, -1)
    with pytest.raises(ValueError, match="labels that are 0, 1 or between"):
        model.evaluate(X, signs, verbose=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="0, 1 or betw"):
        model.fit(X, signs, verbose=0)
    # What does not count need be no label.
    weights = (signs > 0).astype("float32")
    result = model.evaluate(X, signs, sample_weight=weights, verbose=0)
    assert np.isfinite(result[0])


def test_lengths_that_differ_by_batch_are_told():
    network = keras.Sequential([keras.Input((None, 4)), LAYERS.Dense(3)])
    model = small_models.model(
        bbh.models.bayesify(network, bbh.posteriors.MeanField())
    )

    def batches():
        yield (np.zeros((2, 3, 4), "float32"),)
        yield (np.zeros((2, 5, 4), "float32"),)

    for function in (
        model.predict_samples,
        model.predict_uncertainty,
        lambda x: model.predict(x, verbose=0),
    ):
        with pytest.raises(ValueError, match=r"got \(3, 3\), \(5, 3\): pad"):
            function(batches())


def test_an_output_in_a_dictionary_is_refused():
    inputs = keras.Input((4,))
    outputs = LAYERS.Dense(3)(inputs)
    for inside in ({"logits": outputs}, [outputs]):
        network = keras.Model(inputs, inside)
        with pytest.raises(ValueError, match="one output is a tensor; that of"):
            bbh.models.DeepEnsemble(network, 2)
        random = bbh.models.bayesify(network, bbh.posteriors.MeanField())
        with pytest.raises(ValueError, match="one output is a tensor; that of"):
            bbh.models.BayesianModel(random, 8)


def test_weights_in_a_dictionary_are_refused():
    model = small_models.model()
    weights = {"logits": np.ones(len(X), "float32")}
    for function in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match="sample_weight as one array, for"):
            function(X, Y, sample_weight=weights, verbose=0)


def test_scikit_learn_wraps_a_model():
    model = small_models.model(compiled=False)
    model.compile("sgd", loss="categorical_logits")
    with pytest.raises(ValueError, match="takes its loss from the likelihood"):
        model.compile("sgd", loss="normal")
    wrapper = keras.wrappers.SKLearnClassifier(model, fit_kwargs={"verbose": 0})
    wrapper.fit(X, Y)
    assert set(wrapper.predict(X)) <= set(Y)
    assert wrapper.model_.loss == "categorical_logits"


class Noise(LAYERS.Layer):
    """A normal likelihood whose scale is learnt."""

    def build(self, shape):
        self.raw = self.add_weight(shape=(), name="raw")

    def call(self, outputs):
        scale = tf.nn.softplus(tf.convert_to_tensor(self.raw)) + 0.1
        return tfp.distributions.Normal(outputs, scale)


_GLOBAL = tf.Variable(1.0)


class _Holder:
    def __init__(self):
        self.scale = keras.Variable(1.0)

    def __call__(self, outputs):
        return tfp.distributions.Normal(outputs, self.scale)


def test_variables_of_likelihoods_are_trained_or_refused():
    def network(layer):
        return keras.Sequential([keras.Input((4,)), layer])

    model = small_models.model(
        network(_bayesian(LAYERS.Dense(1))), likelihood=Noise()
    )
    before = float(model.likelihood.raw.value)
    model.fit(X, Y.astype("float32"), verbose=0)
    assert abs(float(model.likelihood.raw.value) - before) > 1e-3
    local = tf.Variable(1.0)
    for likelihood in (
        _Holder(),
        _Holder().__call__,
        lambda outputs: tfp.distributions.Normal(outputs, local),
        lambda outputs: tfp.distributions.Normal(outputs, _GLOBAL),
    ):
        with pytest.raises(ValueError, match="holds the trainable"):
            small_models.model(
                network(_bayesian(LAYERS.Dense(1))), likelihood=likelihood
            )
    with pytest.raises(ValueError, match="each as if alone; got '.*raw'"):
        bbh.models.DeepEnsemble(network(LAYERS.Dense(1)), 2, Noise())


def _bayesian(layer):
    return bbh.layers.Bayesian(layer, bbh.posteriors.MeanField())


@pytest.mark.parametrize("cell", [LAYERS.LSTM, LAYERS.SimpleRNN])
def test_both_directions_of_a_recurrent_layer(cell, tmp_path):
    network = keras.Sequential(
        [
            keras.Input((5,)),
            LAYERS.Embedding(7, 4, mask_zero=True),
            LAYERS.Bidirectional(_bayesian(cell(3, return_sequences=True))),
            LAYERS.GlobalAveragePooling1D(),
            LAYERS.Dense(3),
        ]
    )
    first, second = bbh.models.BayesianModel(network, 8).random_layers
    assert first.seed != second.seed
    assert sorted([first.layer.go_backwards, second.layer.go_backwards]) == [
        False,
        True,
    ]
    model = small_models.model(network, num_prediction_samples=2)
    tokens = np.random.default_rng(0).integers(0, 7, (8, 5))
    model.fit(tokens, Y, verbose=0)
    samples = model.predict_samples(tokens)
    np.testing.assert_allclose(
        model.draw(index=1)(tokens), samples[1], rtol=1e-4, atol=1e-5
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict_samples(tokens), samples)


@pytest.mark.filterwarnings("ignore:The object being serialized")
def test_functions_without_a_name_are_copied():
    factor = 3.0
    network = keras.Sequential(
        [
            keras.Input((4, 2)),
            LAYERS.Lambda(lambda x: tf.abs(x) * factor),
            LAYERS.TimeDistributed(LAYERS.Lambda(lambda x: x * factor)),
            LAYERS.TimeDistributed(
                LAYERS.Dense(3, activation=lambda x: tf.tanh(x) * factor)
            ),
            LAYERS.RNN(
                LAYERS.SimpleRNNCell(3, activation=lambda x: tf.tanh(x))
            ),
            LAYERS.Dense(
                3,
                kernel_initializer=lambda shape, dtype=None: tf.ones(shape),
            ),
        ]
    )
    x = np.random.default_rng(0).normal(size=(8, 4, 2)).astype("float32")
    random = bbh.models.bayesify(
        network, bbh.posteriors.MeanField(), start="pretrained"
    )
    np.testing.assert_allclose(random(x), network(x), rtol=0.5, atol=0.5)
    ensemble = bbh.models.DeepEnsemble(network, 2)
    for model in (small_models.model(random), ensemble):
        (sample,) = model.predict_samples(x, 1)
        np.testing.assert_allclose(
            model.draw()(x), sample, rtol=1e-4, atol=1e-5
        )


def test_weight_decay_of_posteriors_is_told():
    mean_field = bbh.posteriors.MeanField()
    made = small_models.model(
        small_models.network(LAYERS.Dense(4), posterior=mean_field),
        compiled=False,
    )
    optimizer = keras.optimizers.AdamW(weight_decay=0.1)
    with pytest.warns(UserWarning, match="weight_decay=0.1 .*log_variance"):
        made.compile(keras.optimizers.LossScaleOptimizer(optimizer))
    of_posteriors = [
        variable
        for layer in made.bayesian_layers
        for variable in layer.posterior.trainable_variables
    ]
    optimizer = keras.optimizers.AdamW(weight_decay=0.1)
    optimizer.exclude_from_weight_decay(of_posteriors)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.compile(optimizer)

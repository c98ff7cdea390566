"""MNF layers in plain Keras models and in a BayesianModel."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf.layers import MNFConv2D
from bbh_tf.layers import MNFDense

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
X = np.random.default_rng(0).normal(size=(8, 5, 5, 2)).astype("float32")
Y = np.arange(8) % 3
SMALL = {"flow_units": 4, "auxiliary_flow_units": 5}


def network(kl_weight=None, **kwargs):
    keras.utils.set_random_seed(4)
    kwargs = {**SMALL, "kl_weight": kl_weight, **kwargs}
    return keras.Sequential(
        [
            keras.Input((5, 5, 2)),
            MNFConv2D(4, 2, activation="relu", seed=1, **kwargs),
            keras.layers.Flatten(),
            MNFDense(3, seed=2, **kwargs),
        ]
    )


def plain(kl_weight, learning_rate=0.01, **kwargs):
    model = network(kl_weight, **kwargs)
    model.compile(
        keras.optimizers.SGD(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def bayesian(run_eagerly=False, **kwargs):
    model = bbh.models.BayesianModel(
        network(**kwargs), 8, num_prediction_samples=3, seed=5
    )
    model.compile(keras.optimizers.Adam(0.01))
    # A few steps take less time than their graph.
    model.run_eagerly = run_eagerly
    return model


def test_the_loss_of_a_plain_model_has_the_kl():
    model = plain(1 / 8, learning_rate=0.0)
    layers = model.layers[::2]
    for step in range(2):
        keys = [
            bbh.randomness.key(layer.seed, bbh.randomness.TRAINING, step)
            for layer in layers
        ]
        kl = sum(float(layer.kl(key)) for layer, key in zip(layers, keys)) / 8
        loss = model.train_on_batch(X, Y)
        # The likelihood has noise of its own, around log 3.
        assert kl > 50
        assert 0.3 < loss - kl < 3
    assert [int(layer.draw_number.value) for layer in layers] == [2, 2]
    assert 0.3 < model.evaluate(X, Y, verbose=0) < 3
    assert [int(layer.draw_number.value) for layer in layers] == [2, 2]


def test_each_kl_of_a_plain_model_has_noise_of_its_own():
    layer = MNFDense(3, seed=2, kl_weight=0.5, **SMALL)
    found = []
    for step in range(2):
        layer(X, training=True)
        key = bbh.randomness.key(2, bbh.randomness.TRAINING, step)
        found.append(float(layer.losses[0]))
        assert found[-1] == pytest.approx(0.5 * float(layer.kl(key)), rel=1e-5)
    assert abs(found[0] - found[1]) > 1e-3


def test_fit_in_a_plain_model():
    model = plain(1e-4, learning_rate=0.05, initial_log_std=-4)
    before = [np.array(variable) for variable in model.trainable_variables]
    losses = model.fit(X, Y, epochs=30, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    for old, new in zip(before, model.trainable_variables):
        assert (old != np.array(new)).any(), new.path
    predictions = [model.predict(X, verbose=0) for _ in range(2)]
    assert np.abs(predictions[0] - predictions[1]).max() > 1e-3


def test_no_kl_without_a_weight():
    layer = MNFDense(3, **SMALL)
    with pytest.warns(UserWarning, match="trains without a KL"):
        layer(X, training=True)
    assert layer.losses == []


def test_a_bayesian_model_adds_the_kl_itself():
    model = bayesian(kl_weight=100.0)
    key = bbh.randomness.fold(model.step_key(bbh.randomness.PRIOR), -1)
    expected = sum(
        float(layer.kl(bbh.randomness.fold(key, position)))
        for position, layer in enumerate(model.random_layers)
    )
    logs = model.fit(X, Y, batch_size=8, epochs=1, verbose=0).history
    # The KL is that of the layers before the step, and in the loss once.
    assert logs["kl"][0] == pytest.approx(expected, rel=1e-5)
    assert logs["loss"][0] == pytest.approx(
        logs["nll"][0] + logs["kl"][0] / 8, rel=1e-5
    )
    assert [int(x.draw_number.value) for x in model.random_layers] == [0, 0]


def test_draws_of_a_bayesian_model():
    model = bayesian(True, initial_log_std=-2)
    model.fit(X, Y, epochs=2, verbose=0)
    samples = model.predict_samples(X, seed=3)
    assert samples.shape == (3, 8, 3)
    assert np.abs(samples[0] - samples[1]).max() > 1e-3
    # No prediction depends on the other examples.
    np.testing.assert_allclose(
        model.predict_samples(X[2:3], seed=3)[:, 0], samples[:, 2], **CLOSE
    )
    for index in range(3):
        drawn = model.draw(seed=3, index=index)
        assert [type(layer) for layer in drawn.layers] == [
            keras.layers.Conv2D,
            keras.layers.Flatten,
            keras.layers.Dense,
        ]
        np.testing.assert_allclose(
            drawn.predict(X, verbose=0), samples[index], **CLOSE
        )


def test_saved_and_reloaded(tmp_path):
    model = bayesian(True)
    model.fit(X, Y, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.run_eagerly = True
    np.testing.assert_array_equal(
        loaded.predict_samples(X, seed=3), model.predict_samples(X, seed=3)
    )
    key = bbh.randomness.key(1)
    for old, new in zip(model.random_layers, loaded.random_layers):
        assert old.kl(key) == new.kl(key)
    histories = [
        one.fit(X, Y, epochs=2, batch_size=8, verbose=0).history
        for one in (model, loaded)
    ]
    assert histories[0] == histories[1]


def test_a_plain_model_saved_and_reloaded(tmp_path):
    model = plain(1 / 8)
    model.train_on_batch(X, Y)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    key = bbh.randomness.key(1)
    for old, new in zip(model.layers[::2], loaded.layers[::2]):
        assert int(new.draw_number.value) == 1
        assert old.kl(key) == new.kl(key)
        for a, b in zip(old.draw(2, key).weights, new.draw(2, key).weights):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "layer",
    [
        MNFDense(3, "relu", False, num_flows=1, max_std=None, kl_weight=0.5),
        MNFConv2D(
            3,
            (2, 1),
            padding="same",
            kernel_initializer="ones",
            prior_variance=2.7,
            initial_z_mean=0.0,
            seed=4,
        ),
    ],
)
def test_config_round_trip(layer):
    serialize = keras.saving.serialize_keras_object
    config = json.loads(json.dumps(serialize(layer)))
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is type(layer)
    assert serialize(copy) == serialize(layer)
    for one in (layer, copy):
        one.build((None, 4, 4, 2))
    assert [v.shape for v in copy.weights] == [v.shape for v in layer.weights]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    # The variances of the start, 1e-8, are nothing in float16.
    layers = [
        MNFConv2D(4, 2, seed=1, dtype=policy, **SMALL),
        MNFDense(3, seed=2, dtype=policy, **SMALL),
    ]
    for layer in layers:
        outputs = layer(X)
        assert outputs.dtype.name == layer.compute_dtype != "float32"
        assert layer.plain_layer().compute_dtype == layer.compute_dtype
        assert {v.dtype for v in layer.trainable_variables} == {"float32"}
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(tf.cast(layer(X), tf.float32))
        log_std = next(
            v for v in layer.trainable_variables if v.name == "kernel_log_std"
        )
        assert np.abs(tape.gradient(total, log_std)).max() > 0
        key = bbh.randomness.key(1)
        kl, *draws = layer.kl(key), *layer.draw(2, key).weights
        exact = type(layer).from_config(
            {**layer.get_config(), "dtype": "float32"}
        )
        exact.build(X.shape)
        exact.set_weights(layer.get_weights())
        assert kl == exact.kl(key)
        for a, b in zip(draws, exact.draw(2, key).weights):
            np.testing.assert_array_equal(a, b)


def test_fit_in_mixed_precision():
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        history = bayesian(True).fit(X, Y, epochs=2, verbose=0).history
        assert np.isfinite(history["loss"]).all()
    finally:
        keras.config.set_dtype_policy(previous)


def test_compiled_as_one_program():
    layer = MNFConv2D(4, 2, seed=1, kl_weight=1 / 8, **SMALL)
    layer.build(X.shape)

    @tf.function(jit_compile=True)
    def run():
        outputs = layer(X, training=True)
        return outputs, tf.add_n(layer.losses)

    expected = layer.kl(bbh.randomness.key(1, bbh.randomness.TRAINING, 0)) / 8
    outputs, loss = run()
    assert np.std(outputs) > 0.1
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)
    assert int(layer.draw_number.value) == 1


def test_the_report_counts_every_parameter():
    model = bayesian()
    for layer in model.random_layers:
        rows = layer.parameter_report()
        trainable = sum(
            int(np.prod(v.shape)) for v in layer.trainable_variables
        )
        assert sum(row[2] for row in rows) == trainable
        assert sum(row[1] for row in rows) == layer.draw_size()
    lines = []
    model.summary(print_fn=lines.append)
    assert "factors and their flows" in lines[-1]


def test_a_frozen_layer_is_not_trained():
    frozen = network(trainable=False)
    assert frozen.trainable_variables == []


@pytest.mark.parametrize("way", ["bayesify", "wrapped"])
def test_it_keeps_its_own_weights_beside_bayesian_layers(way):
    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3), MNFDense(2)]
    )
    if way == "bayesify":
        made = bbh.models.bayesify(inner, bbh.posteriors.MeanField())
    else:
        wrapped = bbh.layers.Bayesian(inner, bbh.posteriors.MeanField())
        made = keras.Sequential([keras.Input((4,)), wrapped])
    model = bbh.models.BayesianModel(
        made, num_train_examples=8, divergence=bbh.divergences.AnalyticKL()
    )
    (bayesian_layer,) = model.bayesian_layers
    assert len(model.random_layers) == 2
    shapes = [tuple(v.shape) for v in bayesian_layer.replaced_variables]
    assert shapes == [(4, 3), (3,)]

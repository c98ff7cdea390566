"""LoRA in attention and elsewhere: random, trained, saved, reloaded, drawn."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf.layers import selection

X = np.random.default_rng(0).normal(size=(8, 5, 4)).astype("float32")
Y = np.arange(8) % 3


def _network():
    """An attention layer whose LoRA was trained, as it were."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((5, 4))
    attended = keras.layers.MultiHeadAttention(2, 3, name="attention")(
        inputs, inputs
    )
    hidden = keras.layers.Dense(4, name="dense")(attended)
    pooled = keras.layers.GlobalAveragePooling1D()(hidden)
    network = keras.Model(inputs, keras.layers.Dense(3, name="last")(pooled))
    random = np.random.default_rng(2)
    for layer in selection.sublayers_of(network):
        if layer.name in ("query", "value", "dense"):
            layer.enable_lora(2, lora_alpha=3)
            for variable in (layer.lora_kernel_a, layer.lora_kernel_b):
                variable.assign(random.normal(size=variable.shape))
    return network


def _model(scope="layer", layers=("attention", "dense"), relative_std=1e-4):
    made = bbh.models.bayesify(
        _network(),
        bbh.posteriors.MeanField(),
        layers=list(layers),
        scope=scope,
        start="pretrained",
        relative_std=relative_std,
    )
    return bbh.models.BayesianModel(
        made,
        8,
        divergence=bbh.divergences.AnalyticKL(),
        num_prediction_samples=2,
        seed=1,
    )


def test_a_copy_is_what_it_was():
    network = _network()
    copy = bbh.models.bayesify(
        network, bbh.posteriors.MeanField(), layers="last"
    )
    for name in ("attention", "dense"):
        old, new = (x.get_layer(name) for x in (network, copy))
        assert [v.path for v in old.variables] == [
            v.path for v in new.variables
        ]
        for one, other in zip(old.variables, new.variables):
            np.testing.assert_array_equal(one, other)
            assert one.trainable == other.trainable


@pytest.mark.parametrize("scope", ["layer", "network"])
def test_draws_around_what_was_trained_are_near_it(scope, tmp_path):
    """Also once Keras has saved it, which adds LoRA to kernels."""
    expected = _network().predict(X, verbose=0)
    model = _model(scope)
    names = {
        variable.name
        for layer in model.random_layers
        for variable in layer.replaced_variables
    }
    assert names == {"bias", "kernel", "lora_kernel_a", "lora_kernel_b"}
    samples = model.predict_samples(X)
    np.testing.assert_allclose(samples[0], expected, atol=0.02)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict_samples(X), samples)
    np.testing.assert_array_equal(model.predict_samples(X), samples)
    other = _model(scope)
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other.predict_samples(X), samples)


def test_lora_of_attention_is_trained_and_drawn(tmp_path):
    model = _model(layers=["attention"], relative_std=0.3)
    (layer,) = model.random_layers
    kernels = [
        np.array(inner.kernel)
        for inner in (layer.layer.query_dense, layer.layer.value_dense)
    ]
    model.compile(keras.optimizers.Adam(0.1))
    before = model.predict_samples(X)
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    samples = model.predict_samples(X)
    assert np.abs(samples - before).max() > 0.01
    for inner, kernel in zip(
        (layer.layer.query_dense, layer.layer.value_dense), kernels
    ):
        np.testing.assert_array_equal(inner.kernel, kernel)
    plain = model.draw(index=1)
    np.testing.assert_allclose(
        plain.predict(X, verbose=0), samples[1], atol=1e-4
    )
    # Keras adds LoRA to the kernels; the function stays the same.
    plain.save(tmp_path / "plain.keras")
    loaded = keras.models.load_model(tmp_path / "plain.keras")
    np.testing.assert_allclose(
        loaded.predict(X, verbose=0), samples[1], atol=1e-4
    )

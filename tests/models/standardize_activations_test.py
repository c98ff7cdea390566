"""Data-dependent initialisation, and a posterior around it."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh

X = np.random.default_rng(0).normal(2.0, 3.0, (64, 8, 8, 1)).astype("float32")


def _network(**kwargs):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(3, 3, activation="relu", **kwargs),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="relu", **kwargs),
            keras.layers.Dense(4, **kwargs),
        ]
    )


def _before_activations(network):
    found = []
    for layer in network.layers:
        if not hasattr(layer, "kernel"):
            continue
        values = keras.Model(network.inputs, layer.input).predict(X, verbose=0)
        activation = layer.activation
        layer.activation = keras.activations.linear
        outputs = np.array(layer(values))
        layer.activation = activation
        found.append(outputs.reshape(-1, outputs.shape[-1]))
    return found


def test_every_unit_has_mean_0_and_variance_1():
    network = _network()
    assert np.ptp([x.std() for x in _before_activations(network)]) > 0.5
    bbh.models.standardize_activations(network, X)
    for outputs in _before_activations(network):
        np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(outputs.std(axis=0), 1, rtol=1e-3)


def test_without_biases_the_scales_alone_are_set():
    network = _network(use_bias=False)
    bbh.models.standardize_activations(network, X)
    for outputs in _before_activations(network):
        np.testing.assert_allclose(outputs.std(axis=0), 1, rtol=1e-3)


def test_a_network_of_several_inputs():
    inputs = {name: keras.Input((8,), name=name) for name in "ab"}
    hidden = keras.layers.Dense(3, name="hidden")(inputs["b"])
    both = keras.layers.Concatenate()([inputs["a"], hidden])
    network = keras.Model(inputs, keras.layers.Dense(2)(both))
    arrays = {"a": X[:, :, 0, 0], "b": 2.0 * X[:, :, 1, 0]}
    bbh.models.standardize_activations(network, arrays)
    hidden = network.get_layer("hidden")(arrays["b"])
    for outputs in (hidden, network(arrays)):
        np.testing.assert_allclose(np.mean(outputs, axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(np.std(outputs, axis=0), 1, rtol=1e-3)


def _assert_standard(outputs):
    axes = tuple(range(outputs.ndim - 1))
    np.testing.assert_allclose(np.mean(outputs, axis=axes), 0, atol=1e-4)
    np.testing.assert_allclose(np.std(outputs, axis=axes), 1, rtol=1e-3)


@pytest.mark.parametrize("other", ["of the same input", "of another"])
def test_layers_of_another_network_are_seen_in_this_one(other):
    keras.utils.set_random_seed(0)
    rows = X[:, :, 0, 0]
    first, second = keras.layers.Dense(5), keras.layers.Dense(3)
    inputs = keras.Input((8,))
    keras.Model(inputs, second(first(inputs)))
    if other == "of another":
        inputs = keras.Input((8,))
    hidden = keras.layers.ReLU()(first(inputs))
    network = keras.Model(inputs, second(hidden))
    bbh.models.standardize_activations(network, rows)
    _assert_standard(first(rows))
    _assert_standard(network(rows))


class _ChannelsFirst(keras.layers.Conv2D):
    """Turned within: not every CPU has convolutions of channels first."""

    def convolution_op(self, inputs, kernel):
        outputs = keras.ops.conv(keras.ops.moveaxis(inputs, 1, -1), kernel)
        return keras.ops.moveaxis(outputs, -1, 1)


def test_channels_may_come_first():
    inputs = keras.Input((1, 8, 8))
    layer = _ChannelsFirst(3, 3, data_format="channels_first")
    network = keras.Model(inputs, layer(inputs))
    images = np.moveaxis(X, -1, 1)
    bbh.models.standardize_activations(network, images)
    _assert_standard(np.moveaxis(network(images), 1, -1))


@pytest.mark.parametrize("what", ["layer", "variable"])
def test_what_is_frozen_stays(what):
    network = _network()
    frozen = network.layers[0]
    (frozen if what == "layer" else frozen.bias).trainable = False
    before = [np.array(x) for x in frozen.weights]
    bbh.models.standardize_activations(network, X)
    for old, new in zip(before, frozen.weights):
        np.testing.assert_array_equal(old, new)
    _assert_standard(_before_activations(network)[-1])
    network.trainable = False
    with pytest.raises(ValueError, match="which is not frozen; 'sequential"):
        bbh.models.standardize_activations(network, X)


def test_a_flow_over_scales_starts_there():
    network = _network()
    bbh.models.standardize_activations(network, X)
    model = bbh.models.BayesianModel(
        bbh.models.bayesify(
            network,
            bbh.posteriors.WeightNormFlow(bbh.flows.real_nvp(2, (4,))),
            scope="network",
            start="pretrained",
        ),
        64,
        divergence=bbh.divergences.MonteCarloKL(),
        seed=0,
    )
    outputs = model.predict_samples(X, 2)
    np.testing.assert_allclose(outputs.mean(axis=1), 0, atol=0.1)
    np.testing.assert_allclose(outputs.std(axis=1), 1, rtol=0.1)


def test_refusals():
    with pytest.raises(ValueError, match="two inputs or more; got 1"):
        bbh.models.standardize_activations(_network(), X[:1])
    with pytest.raises(ValueError, match="finite outputs; those of layer"):
        bbh.models.standardize_activations(_network(), np.nan * X)
    empty = keras.Sequential([keras.Input((3,)), keras.layers.ReLU()])
    with pytest.raises(ValueError, match="expects a layer with a kernel"):
        bbh.models.standardize_activations(empty, np.ones((2, 3)))


def test_no_layer_has_a_program_compiled_for_it(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError

    monkeypatch.setattr(keras.Model, "make_predict_function", refuse)
    bbh.models.standardize_activations(_network(), X)

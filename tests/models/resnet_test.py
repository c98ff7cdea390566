"""The paper's ResNet-32: what it computes, its counts, and all methods."""

import functools

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf.layers import selection
from bbh_tf.layers import weight_specs
from tests.models import small_models

NUM_WEIGHTS = 462_693
RELEASED = {"strides": (2, 2, 2), "final_normalization": False}
IMAGES = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype("float32")
LABELS = np.arange(4) % 3


def _small(**kwargs):
    settings = {"filters": (2, 5), "strides": (1, 2), **kwargs}
    return bbh.models.resnet(
        1, input_shape=(8, 8, 3), num_classes=3, **settings
    )


def _bayesian(network, **kwargs):
    model = bbh.models.BayesianModel(
        network,
        num_train_examples=4,
        num_samples=2,
        num_prediction_samples=2,
        seed=0,
        **kwargs,
    )
    model.compile(keras.optimizers.Adam(0.01))
    return model


def _specs(network):
    return [
        weight_specs.specs_of(layer, selection.random_variables(layer))
        for layer in network.layers
        if selection.random_variables(layer)
    ]


def _randomize(network):
    generator = np.random.default_rng(1)
    for variable in network.variables:
        value = generator.uniform(0.5, 1.5, variable.shape)
        if "norm" not in variable.path:
            value -= 1
        variable.assign(value)


def _convolve(x, network, name):
    """3 x 3 convolution, which pads as TensorFlow says that it does."""
    layer = network.get_layer(name)
    kernel, bias = (np.array(v, np.float64) for v in layer.variables)
    stride, size = layer.strides[0], x.shape[1]
    new_size = -(-size // stride)
    before = max((new_size - 1) * stride + 3 - size, 0) // 2
    padded = np.pad(x, ((0, 0), (before, 3), (before, 3), (0, 0)))
    outputs = bias
    for i in range(3):
        for j in range(3):
            rows = i + stride * np.arange(new_size)
            columns = j + stride * np.arange(new_size)
            outputs = outputs + padded[:, rows][:, :, columns] @ kernel[i, j]
    return outputs


def _rectified_norm(x, network, name):
    layer = network.get_layer(name)
    gamma, beta, mean, variance = (
        np.array(v, np.float64)
        for v in (
            layer.gamma,
            layer.beta,
            layer.moving_mean,
            layer.moving_variance,
        )
    )
    scaled = gamma * (x - mean) / np.sqrt(variance + layer.epsilon) + beta
    return np.maximum(scaled, 0)


def _shortcut(x, stride, count):
    batch, height, width, channels = x.shape
    blocks = (batch, height // stride, stride, width // stride, stride)
    means = x.reshape(*blocks, channels).mean((2, 4))
    left = (count - channels) // 2
    outputs = np.zeros((*means.shape[:3], count))
    outputs[..., left : left + channels] = means
    return outputs


def _straightforward(network, x, units, filters, strides, final_norm):
    x = _convolve(np.array(x, np.float64), network, "stem_conv")
    for stage in range(len(filters)):
        for unit in range(units):
            name = f"stage{stage + 1}_unit{unit + 1}"
            stride = 1 if unit else strides[stage]
            hidden = _rectified_norm(x, network, f"{name}_norm1")
            hidden = _convolve(hidden, network, f"{name}_conv1")
            hidden = _rectified_norm(hidden, network, f"{name}_norm2")
            hidden = _convolve(hidden, network, f"{name}_conv2")
            x = _shortcut(x, stride, filters[stage]) + hidden
    if final_norm:
        x = _rectified_norm(x, network, "final_norm")
    kernel, bias = network.get_layer("logits").variables
    return np.maximum(x, 0).mean((1, 2)) @ np.array(kernel) + np.array(bias)


@pytest.mark.parametrize("final_norm", [True, False])
@pytest.mark.parametrize("strides", [(1, 2), (2, 2)])
def test_straightforward(strides, final_norm):
    network = bbh.models.resnet(
        2,
        input_shape=(8, 8, 3),
        num_classes=3,
        filters=(2, 5),
        strides=strides,
        final_normalization=final_norm,
    )
    _randomize(network)
    expected = _straightforward(network, IMAGES, 2, (2, 5), strides, final_norm)
    np.testing.assert_allclose(
        network(IMAGES, training=False), expected, rtol=1e-4, atol=1e-5
    )


def test_shortcut_alone():
    network = _small()
    for stage in (1, 2):
        conv = network.get_layer(f"stage{stage}_unit1_conv2")
        conv.kernel.assign(np.zeros(conv.kernel.shape))
    stem, last = keras.Model(
        network.input,
        [
            network.get_layer(n).output
            for n in ("stem_conv", "stage2_unit1_add")
        ],
    )(IMAGES)
    stem, last = np.array(stem), np.array(last)
    # One channel of zeros on the left, two on the right.
    assert not last[..., [0, 3, 4]].any()
    blocks = stem.reshape(4, 4, 2, 4, 2, 2)
    np.testing.assert_allclose(last[..., 1:3], blocks.mean((2, 4)), rtol=1e-5)


@pytest.mark.parametrize(
    "settings, sizes, num_normalization",
    [({}, (24, 12, 6), 4 * 1136), (RELEASED, (12, 6, 3), 4 * 1072)],
    ids=["He et al.", "released code"],
)
def test_sizes_and_counts(settings, sizes, num_normalization):
    network = bbh.models.resnet32(**settings)
    for stage, (size, filters) in enumerate(zip(sizes, (16, 32, 64)), 1):
        for unit in range(1, 6):
            layer = network.get_layer(f"stage{stage}_unit{unit}_add")
            assert layer.output.shape == (None, size, size, filters)
    assert network.output_shape == (None, 5)
    assert network.name == "resnet32"
    specs = _specs(network)
    assert (
        sum(np.prod(s.shape) for layer in specs for s in layer) == NUM_WEIGHTS
    )
    assert len(specs) == 32
    assert network.count_params() == NUM_WEIGHTS + num_normalization


@pytest.mark.parametrize("size", [7, 9])
def test_odd_sizes(size):
    network = bbh.models.resnet(
        1, input_shape=(size, size, 1), filters=(2, 3, 4)
    )
    halved = -(-size // 2)
    assert network.get_layer("stage2_unit1_add").output.shape[1] == halved
    outputs = network(np.ones((2, size, size, 1), "float32"))
    assert np.isfinite(outputs).all()


@pytest.mark.parametrize("settings", [{}, RELEASED], ids=["He", "released"])
def test_layer_wise_hypernetworks(settings):
    specs = _specs(bbh.models.resnet32(**settings))
    posterior = bbh.posteriors.Implicit()
    assert sum(map(posterior.count_parameters, specs)) == 246_860_133
    assert sum(map(len, specs)) == 64
    assert not posterior.variables


def test_single_hypernetwork():
    network = bbh.models.resnet32(
        bbh.posteriors.Implicit(bbh.hypernetworks.Sliced(slices=231)),
        scope="network",
    )
    (layer,) = (
        layer
        for layer in network.layers
        if isinstance(layer, bbh.layers.Bayesian)
    )
    assert layer.draw_size() == NUM_WEIGHTS == 231 * 2003
    assert layer.posterior.count_params() == 1_190_675


def test_normalization_takes_the_batch_in_training():
    network = _small()
    before = [np.array(v) for v in network.non_trainable_variables]
    inference = np.array(network(IMAGES, training=False))
    training = np.array(network(IMAGES, training=True))
    assert np.isfinite(training).all()
    assert np.abs(training - inference).max() > 1e-3
    assert len(before) == 2 * 5
    for old, new in zip(before, network.non_trainable_variables):
        assert (old != np.array(new)).any()


@pytest.mark.parametrize(
    "method", ["MeanField", "Implicit", "Implicit whole", "MNF"]
)
def test_fit_save_load_draw(method, tmp_path):
    posterior = bbh.posteriors.MeanField()
    divergence = bbh.divergences.AnalyticKL()
    settings = {"posterior": posterior, "kernel_regularizer": "l2"}
    if method.startswith("Implicit"):
        whole = method.endswith("whole")
        sliced = bbh.hypernetworks.Sliced(9 if whole else "output", units=(4,))
        settings["posterior"] = bbh.posteriors.Implicit(sliced)
        settings["scope"] = "network" if whole else "layer"
        divergence = bbh.divergences.KernelKL()
    elif method == "MNF":
        flows = {
            "num_flows": 1,
            "flow_units": 4,
            "num_auxiliary_flows": 1,
            "auxiliary_flow_units": 4,
        }
        settings = {
            "filters": (2,),
            "strides": (2,),
            "convolution": functools.partial(bbh.layers.MNFConv2D, **flows),
            "dense": functools.partial(bbh.layers.MNFDense, **flows),
        }
    model = _bayesian(_small(**settings), divergence=divergence)
    norms = [
        variable
        for variable in model.trainable_variables
        if "norm" in variable.path.split("/")[-2]
    ]
    assert len(norms) == (2 * 3 if method == "MNF" else 2 * 5)
    before = [np.array(variable) for variable in norms]
    logs = model.train_on_batch(IMAGES, LABELS, return_dict=True)
    assert np.isfinite(logs["loss"])
    assert all((old != np.array(new)).any() for old, new in zip(before, norms))

    samples = model.predict_samples(IMAGES, seed=2)
    assert np.abs(samples[0] - samples[1]).max() > 1e-5
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict_samples(IMAGES, seed=2), samples
    )
    np.testing.assert_allclose(
        model.draw(seed=2, index=1)(IMAGES), samples[1], rtol=1e-4, atol=1e-5
    )


def _before(layer):
    return layer.input._keras_history.operation.name


@pytest.mark.parametrize(
    "places, count, kind",
    [("convolutions", 31, "conv"), ("units", 15, "norm2")],
)
def test_places_of_dropout(places, count, kind):
    network = bbh.models.resnet32(dropout_rate=0.5, dropout_places=places)
    masked = [
        _before(layer)
        for layer in network.layers
        if isinstance(layer, bbh.layers.MCDropout)
    ]
    expected = [
        layer.name
        for layer in network.layers
        if (kind in layer.name and layer.variables)
    ]
    assert sorted(masked) == sorted(expected)
    assert len(masked) == count
    followers = [
        _before(network.get_layer(f"stage1_unit1_relu{i}")) for i in "12"
    ]
    last = "dropout" if places == "units" else "norm2"
    assert followers == ["stage1_unit1_norm1", f"stage1_unit1_{last}"]


def test_dropout():
    model = _bayesian(_small(dropout_rate=0.5))
    logs = model.train_on_batch(IMAGES, LABELS, return_dict=True)
    assert np.isfinite(logs["loss"]) and logs["kl"] == 0
    samples = model.predict_samples(IMAGES)
    assert np.abs(samples[0] - samples[1]).max() > 1e-5


def test_normalization_of_single_images():
    network = _small(
        posterior=small_models.implicit(),
        normalization=functools.partial(
            keras.layers.GroupNormalization, groups=-1
        ),
    )
    norm = network.get_layer("stage2_unit1_norm2")
    assert isinstance(norm, keras.layers.GroupNormalization)
    assert network(IMAGES).shape == (4, 3)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"strides": (1, 2, 2)}, "one entry for each stage; got"),
        ({"filters": (), "strides": ()}, "one entry for each stage; got"),
        ({"filters": (5, 2)}, "at least as many filters as"),
        ({"filters": (2, 2.5)}, "filters to be a positive integer; got 2.5"),
        ({"strides": (0, 2)}, "strides to be a positive integer; got 0"),
        ({"dropout_places": "unit"}, "dropout_places to be one of"),
    ],
)
def test_refusals(settings, message):
    with pytest.raises(ValueError, match=message) as error:
        _small(**settings)
    assert "\n" not in str(error.value)


def test_no_units():
    with pytest.raises(ValueError, match="units_per_stage to be a positive"):
        bbh.models.resnet(0)

"""The paper's LeNet, and how many parameters each posterior of it has."""

import functools

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf.layers import selection
from bbh_tf.layers import weight_specs


def _count(network, posterior):
    return sum(
        posterior.count_parameters(
            weight_specs.specs_of(layer, selection.random_variables(layer))
        )
        for layer in network.layers
        if selection.random_variables(layer)
    )


def test_weights():
    network = bbh.models.lenet()
    assert network.count_params() == 431_080
    assert network.output_shape == (None, 10)


@pytest.mark.parametrize(
    "noise_dim, expected", [(1, 222_331_368), (8, 222_334_952)]
)
def test_layer_wise_hypernetworks(noise_dim, expected):
    posterior = bbh.posteriors.Implicit(noise_dim=noise_dim)
    assert _count(bbh.models.lenet(), posterior) == expected
    assert not posterior.variables


@pytest.mark.parametrize(
    "scope, hypernetwork, expected",
    [
        ("layer", bbh.hypernetworks.Sliced(), 2_457_957),
        ("network", bbh.hypernetworks.Sliced(slices=130), 1_857_780),
    ],
)
def test_sliced_hypernetworks(scope, hypernetwork, expected):
    network = bbh.models.lenet(
        bbh.posteriors.Implicit(hypernetwork), scope=scope
    )
    posteriors = [
        layer.posterior
        for layer in network.layers
        if isinstance(layer, bbh.layers.Bayesian)
    ]
    assert sum(p.count_params() for p in posteriors) == expected
    assert len(posteriors) == (1 if scope == "network" else 4)


def test_a_small_one_trains():
    network = bbh.models.lenet(
        bbh.posteriors.MeanField(),
        input_shape=(8, 8, 1),
        num_classes=3,
        units=(2, 3, 4),
        kernel_size=2,
        kernel_regularizer="l2",
    )
    model = bbh.models.BayesianModel(
        network, 4, divergence=bbh.divergences.AnalyticKL(), seed=0
    )
    model.compile(keras.optimizers.Adam())
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype("float32")
    logs = model.train_on_batch(x, np.arange(4) % 3, return_dict=True)
    penalty = logs["loss"] - logs["nll"] - logs["kl_weight"] * logs["kl"]
    assert penalty > 0
    assert model.predict(x, num_samples=2).shape == (4, 3)


@pytest.mark.parametrize(
    "make", [bbh.models.lenet, functools.partial(bbh.models.resnet, 1)]
)
def test_all_kernels_have_the_initializer(make):
    network = make(kernel_initializer="ones")
    found = {
        layer.name: np.array(layer.kernel)
        for layer in network.layers
        if hasattr(layer, "kernel")
    }
    assert len(found) >= 4
    for kernel in found.values():
        np.testing.assert_array_equal(kernel, 1.0)


@pytest.mark.parametrize(
    "make", [bbh.models.lenet, functools.partial(bbh.models.resnet, 1)]
)
def test_a_posterior_that_ignores_the_initializer_is_refused(make):
    posterior = bbh.posteriors.MeanField(-30.0)
    with pytest.raises(ValueError, match="expects no kernel_init") as error:
        make(posterior, kernel_initializer="ones")
    assert 'with a posterior and start="random"' in str(error.value)
    assert "\n" not in str(error.value)
    # What it starts around counts.
    network = make(posterior, start="pretrained", kernel_initializer="ones")
    layer = next(x for x in network.layers if hasattr(x, "posterior"))
    mean = layer.posterior.distributions()[0].mean()
    np.testing.assert_array_equal(mean, 1.0)


@pytest.mark.parametrize("seed", [None, 5])
def test_kernels_of_one_shape_start_apart(seed):
    # An object of Keras' has one seed, and with it the same values each time.
    network = bbh.models.resnet(
        2, kernel_initializer=keras.initializers.HeNormal(seed=seed)
    )
    first, second = (
        np.array(network.get_layer(f"stage1_unit{unit}_conv1").kernel)
        for unit in (1, 2)
    )
    assert first.shape == second.shape
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.1


@pytest.mark.parametrize("shape", [(8, 28, 1), (28, 4, 1), (11, 11, 1)])
def test_small_images_are_refused(shape):
    with pytest.raises(ValueError, match="needs larger images than") as error:
        bbh.models.lenet(input_shape=shape)
    assert "\n" not in str(error.value)


def test_the_smallest_image():
    assert bbh.models.lenet(input_shape=(13, 13, 1)).built

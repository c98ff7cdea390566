"""Generated kernels begin with the variance that their layer wants."""

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf import randomness

SHAPE = (5, 5, 4, 6)


def mean_square(make, shape, noise_dim, beginnings=24):
    """Over beginnings and noise; and its standard error over beginnings."""
    found = []
    for seed in range(beginnings):
        keras.utils.set_random_seed(seed)
        network = make()
        network.build(noise_dim, shape)
        noise = randomness.normal(randomness.key(seed), 64, (noise_dim,))
        found.append(np.mean(np.square(network(noise))))
    return np.mean(found), np.std(found, ddof=1) / np.sqrt(beginnings)


@pytest.mark.parametrize("noise_dim", [1, 8])
@pytest.mark.parametrize(
    "make",
    [
        lambda **k: bbh.hypernetworks.MLP((64, 32), **k),
        lambda **k: bbh.hypernetworks.MLP((), **k),
        lambda **k: bbh.hypernetworks.Sliced(units=(64, 32), **k),
    ],
    ids=["mlp", "linear", "sliced"],
)
def test_variance_is_two_over_fan_in(make, noise_dim):
    found, error = mean_square(
        lambda: make(kernel_initializer="hyperfan"), SHAPE, noise_dim
    )
    assert abs(found - 2 / 100) < 4 * error


LAYERS = {
    "Conv2D": (lambda: keras.layers.Conv2D(3, 2), (4, 4, 5), 20),
    "DepthwiseConv2D": (
        lambda: keras.layers.DepthwiseConv2D(3, depth_multiplier=2),
        (4, 4, 16),
        9,
    ),
    "Conv2DTranspose": (
        lambda: keras.layers.Conv2DTranspose(2, 2),
        (4, 4, 14),
        56,
    ),
    "EinsumDense": (
        lambda: keras.layers.EinsumDense("ab,bcd->acd", (4, 5), bias_axes="cd"),
        (9,),
        9,
    ),
    "EinsumDense of groups": (
        lambda: keras.layers.EinsumDense("bgi,gij->bgj", (8, 3)),
        (8, 5),
        5,
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_fan_in_is_what_an_output_sums_over(name):
    make, input_shape, fan_in = LAYERS[name]
    recipe = bbh.hypernetworks.MLP((32,), kernel_initializer="hyperfan")
    squares = []
    for seed in range(12):
        keras.utils.set_random_seed(seed)
        layer = bbh.layers.Bayesian(
            make(), bbh.posteriors.Implicit(recipe, noise_dim=4)
        )
        layer.build((None, *input_shape))
        drawn, _ = layer.posterior.sample(64, randomness.key(seed))
        squares.append(np.mean(np.square(drawn[0])))
    error = np.std(squares, ddof=1) / np.sqrt(len(squares))
    assert abs(np.mean(squares) - 2 / fan_in) < 4 * error
    assert error < 0.3 / fan_in
    # Biases, whatever their rank, have none.
    assert all(x.fan_in is None for x in layer.pair().specs[1:])


def test_comes_back_and_begins_anew_in_each_tensor():
    recipe = bbh.hypernetworks.MLP((4,), kernel_initializer="hyperfan")
    config = keras.saving.serialize_keras_object(recipe)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.kernel_initializer == "hyperfan"
    posterior = bbh.posteriors.Implicit(recipe)
    posterior.build([bbh.weights.WeightSpec("a", (9, 3))] * 2)
    one, two = posterior.trainable_variables[::4][:2]
    assert one.shape == two.shape and not np.array_equal(one, two)


def test_refuses_in_one_line():
    with pytest.raises(ValueError, match="no activation of your own"):
        bbh.hypernetworks.MLP(activation="tanh", kernel_initializer="hyperfan")
    with pytest.raises(ValueError, match="MatrixProduct expects an init"):
        bbh.hypernetworks.MatrixProduct(kernel_initializer="hyperfan")
    recipe = bbh.hypernetworks.MLP((4,), kernel_initializer="hyperfan")
    with pytest.raises(ValueError, match="without a fan-in: .*'hyperfan'"):
        bbh.posteriors.Implicit(recipe, per="layer")
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="without a fan-in: .*'hyperfan'"):
        bbh.models.bayesify(
            network, bbh.posteriors.Implicit(recipe), scope="network"
        )

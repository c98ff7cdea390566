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

"""How the members of an ensemble begin, and how they share a batch."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf.models.ensembles import members
from tests.models import ensembles
from tests.models import small_models
from tests.models.ensembles import X
from tests.models.ensembles import Y

layers = keras.layers


@pytest.mark.parametrize("seed", [None, 7], ids=["no seed", "fixed seed"])
def test_members_begin_elsewhere_and_again_the_same(seed):
    network = ensembles.network(layers.Dropout(0.3, seed=seed), seed=seed)
    state = random.getstate()
    few, many, other = (
        bbh.models.DeepEnsemble(network, count, seed=number)
        for count, number in ((2, 5), (4, 5), (2, 6))
    )
    assert random.getstate() == state
    for left, right in zip(few.members, many.members):
        for ours, theirs in zip(left.variables, right.variables, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    distinct = [*many.members, *other.members, network]
    random_values = [
        [np.array(v) for v in one.variables if v.name != "bias"]
        for one in distinct
    ]
    # Two kernels, and the state of Dropout's seed.
    assert len(random_values[0]) == 3
    for values in zip(*random_values, strict=True):
        assert len({value.tobytes() for value in values}) == len(distinct)


def test_the_beginning_has_the_scale_of_the_initializer():
    network = keras.Sequential([keras.Input((300,)), layers.Dense(100)])
    for clone in (members.member(network, key) for key in "ab"):
        kernel = np.array(clone.weights[0])
        variance = 2 / (300 + 100)
        # Uniform: the fourth moment is 9/5 of the variance squared.
        error = variance * np.sqrt(0.8 / kernel.size)
        assert abs(kernel.var() - variance) < 4 * error
        assert abs(kernel.mean()) < 4 * np.sqrt(variance / kernel.size)


def test_one_initializer_of_several_weights():
    inputs = keras.Input((3, 4))
    attention = layers.MultiHeadAttention(2, 3, name="attention")
    network = keras.Model(inputs, attention(inputs, inputs))
    kernels = [
        np.array(variable).ravel()
        for key in "ab"
        for variable in members.member(network, key).weights
        if variable.name == "kernel"
    ]
    assert len({kernel.tobytes() for kernel in kernels}) == 2 * 4


def test_seeds_of_layers_in_layers_and_of_generators():
    def initializer(seed):
        return keras.initializers.RandomNormal(seed=seed)

    network = keras.Sequential(
        [
            keras.Input((3, 4)),
            layers.TimeDistributed(
                layers.Dense(4, kernel_initializer=initializer(1))
            ),
            layers.Bidirectional(
                layers.LSTM(4, kernel_initializer=initializer(2))
            ),
            layers.Dense(
                3,
                kernel_initializer=initializer(keras.random.SeedGenerator(3)),
            ),
        ]
    )
    clones = [members.member(network, key) for key in "aab"]
    for one, same, other in zip(*(clone.weights for clone in clones)):
        np.testing.assert_array_equal(one, same)
        if "bias" not in one.name:
            assert (np.array(one) != np.array(other)).any(), one.path


def test_what_is_not_trained_is_the_recipe_s():
    frozen = layers.Dense(4, name="frozen", bias_initializer="normal")
    normalization = layers.Normalization(name="normalization")
    inner = keras.Sequential([keras.Input((4,)), frozen])
    network = keras.Sequential(
        [keras.Input((4,)), normalization, inner, layers.Dense(3)]
    )
    normalization.adapt(3 * X + 1)
    inner.trainable = False
    network.compile("adam", "mse")
    model = ensembles.ensemble(network)
    for _ in range(2):
        for member in model.members:
            for old, new in zip(network.layers[:2], member.layers):
                ensembles.assert_same_weights(old, new, rtol=0)
            assert len(member.trainable_variables) == 2
        model.train_on_batch(X, Y)


def test_a_network_built_on_data():
    network = keras.Sequential([layers.Dense(3)])
    network(X)
    model = bbh.models.DeepEnsemble(network, 2, seed=0)
    assert model.predict(X[:7]).shape == (7, 3)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_batch_that_cannot_be_split(jit_compile):
    def model():
        return ensembles.ensemble(split_batches=True, jit_compile=jit_compile)

    with pytest.raises(ValueError, match="multiple of 2 examples, .* got 7"):
        model().train_on_batch(X[:7], Y[:7])
    # Of two sizes: none is known when the step is traced. XLA drops checks.
    message = "evenly divide" if jit_compile else "multiple of 2 examples"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        ensembles.fit(model(), X[:15], Y[:15])


def _two_outputs():
    inputs = keras.Input((4,))
    outputs = [layers.Dense(3)(inputs), layers.Dense(2)(inputs)]
    return keras.Model(inputs, outputs)


CASES = {
    "a layer": (lambda: layers.Dense(3), "functional or Sequential"),
    "not built": (
        lambda: keras.Sequential([layers.Dense(3)]),
        "is not built",
    ),
    "two outputs": (_two_outputs, "one output; .* has 2"),
    "Bayesian layers": (
        small_models.network,
        "layer 'hidden' is a Bayesian, which a BayesianModel trains",
    ),
    "layers that are random": (
        lambda: ensembles.network(bbh.layers.MCDropout(0.5, name="drop")),
        "layer 'drop' is a MCDropout, which a BayesianModel trains",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refused_in_one_line(name):
    make_network, message = CASES[name]
    with pytest.raises(ValueError, match=message) as error:
        bbh.models.DeepEnsemble(make_network())
    assert "\n" not in str(error.value)

"""What MNF layers compute: outputs for each example, and draws."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from bbh_tf import randomness
from bbh_tf.layers import MNFConv2D
from bbh_tf.layers import MNFDense
from bbh_tf.layers import drawing
from tests.layers import mnf_layers

KINDS = list(mnf_layers.KINDS)
COUNT = 20_000


def flat(outputs):
    return np.reshape(outputs, (len(outputs), -1))


def run_draws(layer, inputs, draws):
    """Runs the layer once for each draw of its weights."""

    def run(draw):
        outputs, _ = drawing.call(
            layer, [layer], [[x[None] for x in draw]], 0, (inputs,), {}
        )
        return outputs[0]

    return tf.vectorized_map(run, draws)


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_of_examples_are_distributed_as_those_of_draws(kind):
    layer = mnf_layers.built(kind, max_std=0.3)
    alone = flat(layer(mnf_layers.inputs(kind, COUNT)))
    draws = layer.draw(COUNT, randomness.key(8)).weights
    shared = flat(run_draws(layer, mnf_layers.inputs(kind), draws))
    # One place of an image: the noise of places is independent, as far as
    # examples are alone.
    alone, shared = alone[:, :3], shared[:, :3]
    assert mnf_layers.worst_difference(alone, shared) < 4.5
    # A little more of any output would show.
    assert mnf_layers.worst_difference(alone * 1.05, shared) > 4.5
    if "dense" in kind:
        # One factor is in all outputs.
        correlations = np.corrcoef(shared.T)[np.triu_indices(3, 1)]
        assert np.abs(correlations).max() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_at_factors_of_one_it_is_local_reparameterization(kind):
    layer = mnf_layers.built(kind, num_flows=0, max_std=None)
    mnf_layers.fix_factors(layer)
    inputs = mnf_layers.inputs(kind, COUNT)
    outputs = flat(layer(inputs)).astype(np.float64)

    def plain(x, tensors):
        ordinary = layer.plain_layer()
        ordinary.build(x.shape)
        for variable, tensor in zip(ordinary.variables, tensors):
            variable.assign(tensor)
        return flat(ordinary(x))[0]

    posterior = layer.posterior
    variances = [tf.exp(x) for x in posterior.log_variances()]
    mean = plain(inputs[:1], posterior.means)
    variance = plain(inputs[:1] ** 2, variances)
    error = np.sqrt(variance / COUNT)
    assert (np.abs(outputs.mean(0) - mean) / error).max() < 4.5
    ratio = outputs.var(0, ddof=1) / variance
    assert np.abs(ratio - 1).max() * math.sqrt(COUNT / 2) < 4.5
    correlation = np.corrcoef(outputs.T)[np.triu_indices(len(mean), 1)]
    assert np.abs(correlation).max() * math.sqrt(COUNT) < 4.5


@pytest.mark.parametrize("kind", KINDS)
def test_moments_of_draws_given_factors(kind):
    layer = mnf_layers.built(kind, num_flows=0, max_std=0.4)
    mnf_layers.fix_factors(layer, value=-1.5)
    draws = layer.draw(COUNT, randomness.key(8)).weights
    assert len(draws) == (1 if "no bias" in kind else 2)
    assert layer.draw_size() == sum(math.prod(x.shape[1:]) for x in draws)
    for index, (draw, mean, log_variance) in enumerate(
        zip(draws, layer.posterior.means, layer.posterior.log_variances())
    ):
        draw = draw.numpy().astype(np.float64)
        factor = 1.0 if "dense" in kind and index == 1 else -1.5
        std = np.minimum(np.exp(0.5 * log_variance), 0.4)
        assert (std == np.float32(0.4)).any()
        distance = np.abs(draw.mean(0) - factor * mean) / std
        assert distance.max() * math.sqrt(COUNT) < 4.5
        ratio = draw.std(0, ddof=1) / std
        assert np.abs(ratio - 1).max() * math.sqrt(2 * COUNT) < 4.5


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_draws_depend_on_key_position_and_index(kind):
    layer = mnf_layers.built(kind)
    key = randomness.key(9)
    five = layer.draw(5, key, 2).weights
    later = layer.draw(2, key, 2, first=3).weights
    compiled = tf.function(
        lambda first: layer.draw(5, key, 2, first).weights, jit_compile=True
    )(tf.constant(0))
    for a, b, c in zip(five, later, compiled):
        assert a.dtype == tf.float32
        np.testing.assert_allclose(a[3:], b, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(a, c, rtol=1e-5, atol=1e-6)
        assert np.abs(a[0] - a[1]).min() > 0
    for other, position in ((key, 1), (randomness.key(8), 2)):
        different = layer.draw(5, other, position).weights
        assert (different[0].numpy() != five[0].numpy()).all()


@pytest.mark.parametrize("kind", KINDS)
def test_plain_layer(kind):
    layer = mnf_layers.built(kind, activation="relu", name="mine")
    inputs = np.random.default_rng(0).normal(
        size=(4, *mnf_layers.KINDS[kind][2])
    )
    (outputs,) = [
        drawing.call(layer, [layer], [draw], 2, (inputs,), {})[0]
        for draw in [layer.draw(3, randomness.key(1)).weights]
    ]
    plain = layer.plain_layer()
    assert plain.name == "mine"
    assert not plain.built
    plain.build(inputs.shape)
    draws = layer.draw(3, randomness.key(1)).weights
    for variable, tensor in zip(plain.variables, draws, strict=True):
        variable.assign(tensor[2])
    np.testing.assert_allclose(plain(inputs), outputs, rtol=1e-5, atol=1e-6)
    assert outputs.shape == layer.compute_output_shape(inputs.shape)


def test_each_example_and_call_has_noise_of_its_own():
    layer = mnf_layers.built("dense")
    inputs = mnf_layers.inputs("dense", 2)
    first, second = layer(inputs), layer(inputs)
    assert np.abs(first[0] - first[1]).min() > 0
    assert np.abs(first - second).min() > 0
    # A seed says all of it.
    again = mnf_layers.built("dense")
    np.testing.assert_array_equal(again(inputs), first)
    other = mnf_layers.built("dense", seed=8)
    assert np.abs(other(inputs) - first).min() > 0


def test_one_z_serves_the_axes_between():
    layer = mnf_layers.built("dense", initial_log_std=-9)
    for name in ("kernel_log_std", "bias_log_variance"):
        variable = mnf_layers.variable(layer, name)
        variable.assign(tf.fill(variable.shape, -30.0))
    layer.input_spec = None
    inputs = np.tile(mnf_layers.inputs("dense")[:, None], (2, 5, 1))
    outputs = layer(inputs)
    assert outputs.shape == (2, 5, 3)
    np.testing.assert_allclose(
        outputs, np.repeat(outputs[:, :1], 5, axis=1), rtol=1e-4, atol=1e-5
    )
    assert np.abs(outputs[0, 0] - outputs[1, 0]).min() > 1e-3


@pytest.mark.parametrize(
    ("kwargs", "shape"),
    [
        ({"strides": 2}, (2, 2, 3)),
        ({"padding": "same"}, (5, 4, 3)),
        ({"kernel_size": (3, 2), "dilation_rate": (2, 1)}, (1, 3, 3)),
    ],
)
def test_convolutions(kwargs, shape):
    kwargs = {"kernel_size": 2, **kwargs}
    layer = MNFConv2D(3, seed=1, initial_log_std=-30, **kwargs)
    inputs = np.random.default_rng(0).normal(size=(1, 5, 4, 2))
    layer.build(inputs.shape)
    draws = layer.draw(1, randomness.key(1)).weights
    outputs, _ = drawing.call(layer, [layer], [draws], 0, (inputs,), {})
    ordinary = keras.layers.Conv2D(3, **kwargs)
    ordinary.build(inputs.shape)
    ordinary.set_weights([x[0].numpy() for x in draws])
    np.testing.assert_allclose(outputs, ordinary(inputs), rtol=1e-5, atol=1e-6)
    assert outputs.shape[1:] == layer(inputs).shape[1:] == shape
    assert layer.compute_output_shape(inputs.shape)[1:] == shape


def test_gradient_is_finite_where_inputs_are_zero():
    layer = mnf_layers.built("conv, no bias")
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(0 * mnf_layers.inputs("conv", 3)))
    variables = layer.trainable_variables
    for gradient in tape.gradient(total, variables):
        assert gradient is None or np.isfinite(gradient).all()


@pytest.mark.parametrize(
    "make", [MNFDense, lambda n, **k: MNFConv2D(n, 2, **k)]
)
@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"max_std": 0}, "max_std to be a finite number > 0; got 0"),
        ({"prior_variance": -1.0}, "prior_variance to be a finite number > 0"),
        ({"initial_log_std": None}, "initial_log_std to be a finite number;"),
        ({"initial_z_mean": math.nan}, "initial_z_mean to be a finite number;"),
        ({"kl_weight": -1}, "kl_weight to be a finite number >= 0"),
        ({"num_flows": -1}, "num_flows to be an integer >= 0"),
        ({"num_auxiliary_flows": 0.5}, "num_flows to be an integer >= 0"),
        ({"flow_units": 0}, "units to be a positive integer"),
        ({"seed": 0.5}, "A random key is made of integers"),
    ],
)
def test_refusals(make, kwargs, message):
    with pytest.raises(ValueError, match=message):
        make(3, **kwargs)


def test_keras_refuses_the_rest():
    with pytest.raises(ValueError, match="positive integer"):
        MNFDense(-1)
    with pytest.raises(ValueError, match="padding"):
        MNFConv2D(3, 2, padding="other")
    with pytest.raises(ValueError, match="min_ndim=4"):
        mnf_layers.built("conv")(np.zeros((2, 4)))

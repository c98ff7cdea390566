"""Outputs drawn in the place of weights, against draws of the weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf.layers import drawing

layers = keras.layers
# Layers of three outputs or so, and an input of each.
KINDS = {
    "Dense": (lambda **k: layers.Dense(3, **k), (2, 4)),
    "Dense of three axes": (lambda **k: layers.Dense(3, **k), (2, 2, 4)),
    "Conv1D": (lambda **k: layers.Conv1D(3, 2, **k), (2, 4, 2)),
    "Conv1D, causal": (
        lambda **k: layers.Conv1D(2, 2, padding="causal", dilation_rate=2, **k),
        (2, 5, 2),
    ),
    "Conv2D": (
        lambda **k: layers.Conv2D(3, 2, strides=2, padding="same", **k),
        (2, 5, 4, 2),
    ),
    "Conv2D in groups": (
        lambda **k: layers.Conv2D(4, 2, groups=2, **k),
        (2, 3, 3, 4),
    ),
    "Conv3D": (lambda **k: layers.Conv3D(2, 2, **k), (2, 3, 2, 2, 2)),
    "DepthwiseConv1D": (
        lambda **k: layers.DepthwiseConv1D(2, depth_multiplier=2, **k),
        (2, 4, 2),
    ),
    "DepthwiseConv2D": (
        lambda **k: layers.DepthwiseConv2D(2, dilation_rate=2, **k),
        (2, 4, 4, 2),
    ),
}


class KernelsOnly(bbh.posteriors.MeanField):
    """Which leaves biases point estimates."""

    def replaces(self, spec):
        return spec.role == "kernel"


def _posterior(make=bbh.posteriors.MeanField):
    return make(-1.0, keras.initializers.RandomNormal(0.0, 0.5, seed=1))


def _layer(kind, posterior=None):
    make, shape = KINDS[kind]
    plain = make(
        bias_initializer=keras.initializers.RandomNormal(1.0, 0.5, seed=2)
    )
    layer = bbh.layers.LocalReparameterization(
        plain, posterior or _posterior(), seed=3
    )
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    layer(x)
    return layer, x


def _outputs(layer, x, count, local):
    """Outputs of many training draws, local or of the weights."""

    @tf.function
    def one(number):
        draw = layer.training_draw if local else layer.draw
        drawn = draw(1, bbh.randomness.key(number))
        outputs, _ = drawing.call(layer, [layer], [drawn.weights], 0, (x,), {})
        return outputs

    return np.array([one(tf.constant(n)) for n in range(count)], np.float64)


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        *[(kind, bbh.posteriors.MeanField) for kind in KINDS],
        ("Dense", KernelsOnly),
        ("Conv2D", KernelsOnly),
    ],
)
def test_means_and_variances_are_those_under_weight_draws(kind, make):
    layer, x = _layer(kind, _posterior(make))
    count = 1500
    found, expected = (
        _outputs(layer, x, count, local) for local in (True, False)
    )
    assert found.shape == expected.shape
    variance = 0.5 * (found.var(axis=0) + expected.var(axis=0))
    z = (found.mean(axis=0) - expected.mean(axis=0)) / np.sqrt(
        2 * variance / count
    )
    ratio = np.log(found.var(axis=0) / expected.var(axis=0))
    ratio /= np.sqrt(4 / count)
    for deviations in (z, ratio):
        assert np.abs(deviations).max() < 4.5
        # Outputs of one kernel go together: fewer numbers than there seem.
        most = 1 + 4 * np.sqrt(2 / min(deviations.size, 12))
        assert np.mean(deviations**2) < most


def test_channels_first_take_the_bias_along_theirs():
    from bbh_tf.layers import linear_part

    layer = layers.Conv2D(3, 2, data_format="channels_first")
    outputs = tf.zeros((2, 3, 4, 4))
    layer.build((None, 1, 5, 5))
    found = linear_part.add_bias(layer, outputs, tf.constant([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(found[0, :, 0, 0], [1, 2, 3])


def _gradients(layer, x, count, local):
    """Losses and their gradients in the means, over many draws."""

    @tf.function
    def one(number):
        with tf.GradientTape() as tape:
            draw = layer.training_draw if local else layer.draw
            drawn = draw(1, bbh.randomness.key(number))
            outputs, _ = drawing.call(
                layer, [layer], [drawn.weights], 0, (x,), {}
            )
            loss = tf.reduce_mean(tf.nn.softplus(3.0 * outputs))
        variables = layer.posterior.trainable_variables
        found = tape.gradient(loss, variables)
        return loss, tf.concat([tf.reshape(g, [-1]) for g in found], 0)

    found = [one(tf.constant(n)) for n in range(count)]
    return [np.array(x, np.float64) for x in zip(*found)]


def test_a_dense_layer_has_the_same_loss_and_calmer_gradients():
    layer, _ = _layer("Dense")
    x = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
    (losses, gradients), (under_weights, noisier) = (
        _gradients(layer, x, 600, local) for local in (True, False)
    )
    error = np.sqrt((losses.var() + under_weights.var()) / 600)
    assert abs(losses.mean() - under_weights.mean()) < 3.5 * error
    errors = np.sqrt((gradients.var(axis=0) + noisier.var(axis=0)) / 600)
    z = (gradients.mean(axis=0) - noisier.mean(axis=0)) / errors
    assert np.abs(z).max() < 4.5
    assert gradients.var(axis=0).sum() < 0.5 * noisier.var(axis=0).sum()


def test_inputs_of_zeros_have_finite_gradients():
    layer, x = _layer("Conv2D", _posterior(KernelsOnly))
    _, gradients = _gradients(layer, np.zeros_like(x), 2, True)
    assert np.isfinite(gradients).all()


def _model(local, **kwargs):
    network = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, activation="tanh", name="hidden"),
            layers.Dense(3, name="logits"),
        ]
    )
    return bbh.models.bayesify(
        network,
        _posterior(),
        local_reparameterization=local,
        **kwargs,
    )


def test_predictions_and_kl_are_those_of_weight_draws():
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    models = []
    for local in (False, True):
        made = bbh.models.BayesianModel(
            _model(local),
            num_train_examples=6,
            divergence=bbh.divergences.MonteCarloKL(),
            num_samples=2,
            num_prediction_samples=3,
            seed=5,
        )
        made.compile("adam")
        models.append(made)
    plain, local = models
    for old, new in zip(plain.random_layers, local.random_layers):
        for one, two in zip(old.posterior.weights, new.posterior.weights):
            two.assign(one)
    np.testing.assert_array_equal(
        plain.predict_samples(x), local.predict_samples(x)
    )
    y = np.arange(6) % 3
    found = [model.train_on_batch(x, y, return_dict=True) for model in models]
    assert found[0]["kl"] == pytest.approx(found[1]["kl"], rel=1e-5)
    assert found[0]["nll"] != pytest.approx(found[1]["nll"], rel=1e-5)


def test_a_plain_model_trains_on_outputs_and_predicts_by_one_draw():
    dense = bbh.layers.LocalReparameterization(
        layers.Dense(3),
        _posterior(),
        kl_weight=0.1,
        divergence=bbh.divergences.AnalyticKL(),
        seed=1,
    )
    model = keras.Sequential([keras.Input((4,)), dense])
    x = np.ones((5, 4), np.float32)
    one, two = (np.array(model(x, training=True)) for _ in range(2))
    # Noise of its own for each example, new each time.
    assert np.ptp(one, axis=0).min() > 1e-3
    assert np.abs(one - two).min() > 1e-6
    # A seed says all of it.
    again, other = (
        bbh.layers.LocalReparameterization(
            layers.Dense(3), _posterior(), kl_weight=0, seed=seed
        )
        for seed in (1, 2)
    )
    for layer in (again, other):
        layer.build((None, 4))
        layer.posterior.set_weights(dense.posterior.get_weights())
    np.testing.assert_allclose(again(x, training=True), one, rtol=1e-6)
    assert np.abs(other(x, training=True) - one).min() > 1e-6
    assert len(model.losses) == 1
    predicted = np.array(model(x))
    np.testing.assert_array_equal(predicted, predicted[:1] + 0 * predicted)
    np.testing.assert_array_equal(predicted, model(x))


def test_what_is_not_linear_or_normal_is_refused():
    make = bbh.layers.LocalReparameterization
    with pytest.raises(ValueError, match="DepthwiseConv2D layer; got <LSTM"):
        make(layers.LSTM(3), _posterior())

    class Mine(layers.Dense):
        pass

    with pytest.raises(ValueError, match="got <Mine"):
        make(Mine(3), _posterior())
    implicit = bbh.posteriors.Implicit(bbh.hypernetworks.MLP((4,)))
    with pytest.raises(ValueError, match="normals, MeanField; .* has Implicit"):
        make(layers.Dense(3), implicit).build((None, 4))
    regularized = layers.Dense(3, kernel_regularizer="l2")
    with pytest.raises(ValueError, match="a layer without regularisers"):
        make(regularized, _posterior()).build((None, 4))
    lora = layers.Dense(3)
    lora.build((None, 4))
    lora.enable_lora(2)
    with pytest.raises(ValueError, match="a layer without LoRA"):
        make(lora, _posterior()).build((None, 4))
    with pytest.raises(ValueError, match='expects scope="layer" with local'):
        _model(True, scope="network")

"""The deep weight prior, on densities that are known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import weights
from bbh_tf.priors import deep_weight_prior
from tests.priors import linear_gaussian

SPECS = [
    weights.WeightSpec("kernel", (3, 3, 2, 4)),
    weights.WeightSpec("bias", (4,)),
]


def _bounds(prior, kernels, count=200):
    """Bounds of each kernel under many keys, `(count, kernels)`."""

    @tf.function
    def one(number):
        key = bbh.randomness.key(number)
        return prior.slice_log_prob(tf.constant(kernels), key)

    found = [one(tf.constant(number)) for number in range(count)]
    return np.array(found, np.float64)


def _truth(kernels, num_steps=0):
    flat = kernels.reshape(len(kernels), -1)
    return linear_gaussian.normal(num_steps).logpdf(flat)


def _error(values):
    return values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("num_steps", [0, 2])
def test_the_exact_reverse_model_gives_the_density(num_steps):
    kernels = linear_gaussian.kernels(6, num_steps)
    truth = _truth(kernels, num_steps)
    several = linear_gaussian.prior(num_steps, num_importance_samples=2)
    found = _bounds(several, kernels, 3)
    np.testing.assert_allclose(found, truth + np.zeros((3, 1)), atol=2e-3)
    # One sample leaves the mean known in closed form alone exact.
    found = _bounds(linear_gaussian.prior(num_steps), kernels).mean(axis=1)
    assert abs(found.mean() - truth.mean()) < 3 * _error(found)


@pytest.mark.parametrize("policy", ["mixed_float16", "float64"])
def test_networks_of_any_policy_compute_in_float32(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        prior = linear_gaussian.prior(1, num_importance_samples=2)
        again = type(prior).from_config(prior.get_config())
        again.set_weights(prior.get_weights())
    finally:
        keras.config.set_dtype_policy(before)
    kernels = linear_gaussian.kernels(2, 1)
    for each in (prior, again):
        found = each.slice_log_prob(kernels, bbh.randomness.key(0))
        np.testing.assert_allclose(found, _truth(kernels, 1), atol=2e-3)


@pytest.mark.parametrize("num_steps", [0, 2])
def test_the_bound_rises_to_the_density(num_steps):
    kernels = linear_gaussian.kernels(5, num_steps)
    truth = _truth(kernels, num_steps).mean()
    last = -np.inf
    for num_samples, slack in ((1, None), (10, None), (500, 0.05)):
        prior = linear_gaussian.prior(
            num_steps,
            0.3 / (1 + num_steps),
            num_importance_samples=num_samples,
        )
        found = _bounds(prior, kernels, 100).mean(axis=1)
        assert found.mean() < truth + 3 * _error(found)
        assert found.mean() > last + 3 * _error(found)
        last = found.mean()
        if slack:
            assert last > truth - slack
    assert prior.is_bound


def test_no_steps_are_the_plain_prior_bit_for_bit():
    kernels = linear_gaussian.kernels(5)
    plain = linear_gaussian.prior(error=0.3)
    chain = bbh.priors.DeepWeightPrior(plain.decoder, plain.reverse, [], [])
    np.testing.assert_array_equal(
        _bounds(plain, kernels, 2), _bounds(chain, kernels, 2)
    )


def _posterior():
    posterior = bbh.posteriors.MeanField(
        -3.0, keras.initializers.RandomNormal(0.0, 0.5, seed=1)
    )
    posterior.build(SPECS)
    return posterior


def _closed_kl(posterior):
    """KL of independent normals to those of the slices and the biases."""
    kernel, bias = posterior.distributions()
    normal = linear_gaussian.normal()
    precision = np.linalg.inv(normal.cov)
    means, variances = (
        np.asarray(x).transpose(2, 3, 0, 1).reshape(-1, 9).astype(float)
        for x in (kernel.mean(), kernel.variance())
    )
    centred = means - normal.mean
    each = 0.5 * (
        np.einsum("ni,ij,nj->n", centred, precision, centred)
        + variances @ np.diag(precision)
        - 9
        + np.linalg.slogdet(normal.cov)[1]
        - np.log(variances).sum(axis=1)
    )
    loc, scale = np.asarray(bias.mean()), np.asarray(bias.stddev())
    rest = 0.5 * (loc**2 + scale**2 - 1 - 2 * np.log(scale))
    return each.sum() + rest.sum()


@pytest.mark.parametrize("num_slices", [None, 3])
def test_the_kl_is_the_closed_form(num_slices):
    posterior = _posterior()
    prior = linear_gaussian.prior(num_importance_samples=2)
    prior = bbh.priors.DeepWeightPrior(
        prior.decoder,
        prior.reverse,
        num_importance_samples=2,
        num_slices=num_slices,
    ).for_layer(SPECS)

    @tf.function
    def one(number):
        draw = posterior.draw(4, bbh.randomness.key(number))
        pair = bbh.divergences.Pair("conv", posterior, prior, SPECS, draw)
        return bbh.divergences.MonteCarloKL().estimate(
            [pair], 1, bbh.randomness.key(number, 1)
        )

    found = np.array([one(tf.constant(n)) for n in range(300)], np.float64)
    assert abs(found.mean() - _closed_kl(posterior)) < 3 * _error(found)


def test_a_part_of_the_slices_stands_for_all():
    prior = linear_gaussian.prior(num_importance_samples=2)
    draw = _posterior().draw(2, bbh.randomness.key(0))
    whole = prior.log_prob(draw.samples, SPECS, bbh.randomness.key(0))
    prior = linear_gaussian.prior(num_importance_samples=2, num_slices=3)

    @tf.function
    def one(number):
        key = bbh.randomness.key(number)
        return prior.log_prob(draw.samples, SPECS, key)

    found = np.array([one(tf.constant(n)) for n in range(400)], np.float64)
    errors = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert (errors > 0.1).all()
    assert (np.abs(found.mean(axis=0) - whole) < 3 * errors).all()


@pytest.mark.parametrize("num_steps", [0, 2])
def test_samples_are_of_the_density(num_steps, monkeypatch):
    prior = linear_gaussian.prior(num_steps)
    kernel, bias = prior.sample(500, SPECS, bbh.randomness.key(1))
    assert kernel.shape == (500, 3, 3, 2, 4) and bias.shape == (500, 4)
    slices = weights.to_kernel_slices(kernel)
    flat = np.reshape(slices, (-1, 9))
    normal = linear_gaussian.normal(num_steps)
    found = np.cov(flat.T)
    # The variance of a sample covariance of normals.
    diagonal = np.diag(normal.cov)
    errors = np.sqrt((normal.cov**2 + np.outer(diagonal, diagonal)) / len(flat))
    assert np.abs((found - normal.cov) / errors).max() < 4.5
    assert np.abs(flat.mean(axis=0) - normal.mean).max() < 4.5 * np.sqrt(
        diagonal.max() / len(flat)
    )
    # The first samples are the same ones, and so are those made in blocks.
    monkeypatch.setattr(deep_weight_prior, "_BLOCK", 7)
    fewer, _ = prior.sample(3, SPECS, bbh.randomness.key(1))
    np.testing.assert_allclose(fewer, kernel[:3], atol=1e-5)


def _network(prior, posterior=None, **kwargs):
    network = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Conv2D(3, 3, name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, name="logits"),
        ]
    )
    made = bbh.models.bayesify(
        network,
        posterior or bbh.posteriors.MeanField(),
        {"conv": prior},
        **kwargs,
    )
    model = bbh.models.BayesianModel(
        made,
        num_train_examples=8,
        divergence=bbh.divergences.MonteCarloKL(),
        num_samples=2,
        num_prediction_samples=2,
        seed=0,
    )
    model.compile(keras.optimizers.Adam(0.01))
    return model


@pytest.mark.parametrize("train_reverse", [True, False])
def test_the_reverse_model_alone_is_trained(train_reverse):
    x = np.random.default_rng(0).normal(size=(8, 4, 4, 1)).astype("float32")
    given = linear_gaussian.prior(1, error=0.5, train_reverse=train_reverse)
    model = _network(given)
    prior = model.network.get_layer("conv").prior
    # Freezing and thawing a model keeps the decoder as it is.
    model.trainable = False
    model.trainable = True
    before = [[np.array(v) for v in net.weights] for net in _networks(prior)]
    kl = model.fit(x, np.arange(8) % 3, epochs=3, verbose=0).history["kl"]
    assert np.isfinite(kl).all()
    moved = [
        any(
            (old != np.array(new)).any()
            for old, new in zip(values, net.weights)
        )
        for values, net in zip(before, _networks(prior))
    ]
    assert moved == [False, train_reverse, False, train_reverse]
    # The prior that was given is left as it was.
    for old, new in zip(before, _networks(given)):
        for one, two in zip(old, new.weights):
            np.testing.assert_array_equal(one, two)


def _networks(prior):
    return [
        prior.decoder,
        prior.reverse,
        *prior.transitions,
        *prior.reverse_transitions,
    ]


def _in_training_differs(inputs, outputs):
    """Means and variances by layers that do otherwise in training."""
    given = keras.Input(inputs)
    flat = keras.layers.Flatten()(given)
    flat = keras.layers.BatchNormalization()(keras.layers.Dropout(0.5)(flat))
    heads = [
        keras.layers.Reshape(outputs)(
            keras.layers.Dense(int(np.prod(outputs)), activation)(flat)
        )
        for activation in (None, "softplus")
    ]
    return keras.Model(given, heads)


def test_a_density_is_the_same_in_training():
    decoder = _in_training_differs((2,), (3, 3))
    reverse = _in_training_differs((3, 3), (2,))
    layer = bbh.layers.Bayesian(
        keras.layers.Conv2D(2, 3),
        bbh.posteriors.MeanField(),
        prior=bbh.priors.DeepWeightPrior(decoder, reverse),
        divergence=bbh.divergences.MonteCarloKL(),
        kl_weight=1.0,
        seed=1,
    )
    model = keras.Sequential([keras.Input((4, 4, 1)), layer])
    images = np.ones((2, 4, 4, 1), "float32")
    means = [v for v in layer.prior.variables if "moving" in v.path]
    before = [np.array(v) for v in means]
    assert len(before) == 4
    for _ in range(3):
        model(images, training=True)
    for old, new in zip(before, means):
        np.testing.assert_array_equal(old, new)
    slices, key = linear_gaussian.kernels(3), bbh.randomness.key(0)
    expected = layer.prior.slice_log_prob(slices, key)

    class Scope(keras.layers.Layer):
        def call(self, x):
            return layer.prior.slice_log_prob(x, key)

    found = Scope()(tf.constant(slices), training=True)
    np.testing.assert_array_equal(found, expected)


def test_a_frozen_layer_freezes_the_reverse_model():
    layer = bbh.layers.Bayesian(
        keras.layers.Conv2D(3, 3),
        bbh.posteriors.MeanField(),
        prior=linear_gaussian.prior(),
        trainable=False,
    )
    layer.build((None, 4, 4, 1))
    assert not any(v.trainable for v in layer.variables)


def test_what_is_frozen_in_a_prior_is_so_in_a_layer():
    prior = linear_gaussian.prior(1)
    frozen = prior.reverse.trainable_variables[0]
    frozen.trainable = False
    copy = prior.for_layer(SPECS)
    trained = [v.trainable for v in copy.variables]
    assert trained == [v.trainable for v in prior.variables]
    assert copy.trains_with_density()
    prior.trainable = False
    copy = prior.for_layer(SPECS)
    assert not copy.trains_with_density() and not copy.trainable


@pytest.mark.parametrize(
    ("specs", "what"),
    [
        ([weights.WeightSpec("kernel", (5, 5, 1, 2))], r"kernel \(5, 5, 1, 2"),
        ([weights.WeightSpec("kernel", (4, 2))], r"kernel \(4, 2"),
        ([weights.WeightSpec("scales", (4,))], r"scales \(4"),
    ],
)
def test_what_has_no_such_kernels_is_refused(specs, what):
    with pytest.raises(ValueError, match=f"prior of 3 x 3 kernels.*{what}"):
        linear_gaussian.prior().for_layer(specs)


def test_networks_that_do_not_fit_are_refused():
    prior = linear_gaussian.prior(1)
    decoder, reverse, forward, _ = _networks(prior)
    make = bbh.priors.DeepWeightPrior
    with pytest.raises(ValueError, match=r"reverse to take kernels"):
        make(decoder, forward)
    with pytest.raises(ValueError, match=r"decoder to map \(2,\) to means"):
        make(forward, reverse)
    with pytest.raises(ValueError, match=r"as many reverse_transitions"):
        make(decoder, reverse, [forward])
    with pytest.raises(ValueError, match=r"transition to map \(2,\)"):
        make(decoder, reverse, [decoder], [forward])
    with pytest.raises(ValueError, match=r"expects built Keras models"):
        make(decoder, "reverse")
    with pytest.raises(ValueError, match=r"num_slices to be a positive"):
        make(decoder, reverse, num_slices=0)
    with pytest.raises(ValueError, match=r"others to be a prior without"):
        make(decoder, reverse, others=prior)
    z = keras.Input((2,))
    mean, variance = decoder(z)
    with pytest.raises(ValueError, match=r"decoder to map.*got \(2,\) to \{"):
        make(keras.Model(z, {"mean": mean, "variance": variance}), reverse)
    with pytest.raises(ValueError, match=r"decoder to map.*got \(2,\) to \(3"):
        make(keras.Model(z, mean), reverse)
    with pytest.raises(ValueError, match="decoder to have one input; got 2"):
        make(keras.Model([z, keras.Input((1,))], [mean, variance]), reverse)
    for name in ("transitions", "reverse_transitions"):
        with pytest.raises(ValueError, match=f" {name} to be a list of Keras"):
            make(decoder, reverse, **{name: None})


class _Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, inputs):
        outputs = self.dense(inputs)
        return outputs, tf.square(outputs)


def test_a_subclassed_network_is_refused():
    model = _Subclassed()
    model(np.zeros((1, 2), "float32"))
    with pytest.raises(ValueError, match="functional or Sequential; got <_Sub"):
        bbh.priors.DeepWeightPrior(model, linear_gaussian.prior().reverse)

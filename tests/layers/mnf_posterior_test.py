"""The KL bound of MNF against closed forms and plain Monte Carlo."""

import math

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from bbh_tf import randomness
from bbh_tf.divergences import AnalyticKL
from tests.layers import mnf_layers

tfd = tfp.distributions
KINDS = list(mnf_layers.KINDS)


def kl_samples(layer, count):
    """Estimates of the bound under `count` keys."""

    @tf.function
    def estimate(number):
        return layer.kl(randomness.key(number))

    return np.array([estimate(tf.constant(i)) for i in range(count)])


def without_flows(kind, **kwargs):
    return mnf_layers.built(kind, num_flows=0, num_auxiliary_flows=0, **kwargs)


def distributions(layer):
    """The normals of kernel and bias where all factors are 1."""
    return [
        tfd.Normal(mean, tf.exp(0.5 * log_variance))
        for mean, log_variance in zip(
            layer.posterior.means, layer.posterior.log_variances()
        )
    ]


@pytest.mark.parametrize("prior_variance", [1.0, math.e])
@pytest.mark.parametrize("kind", KINDS)
def test_at_factors_of_one_it_is_that_of_bayes_by_backprop(
    kind, prior_variance
):
    layer = without_flows(kind, prior_variance=prior_variance)
    mnf_layers.fix_factors(layer)
    for name in ("projection", "mean", "log_precision"):
        variable = mnf_layers.variable(layer, name)
        variable.assign(tf.zeros(variable.shape))
    found = distributions(layer)
    prior = tfd.Normal(0.0, math.sqrt(prior_variance))
    weights_kl = AnalyticKL()(found, [prior] * len(found))
    # log q of the factors, less log N(1; 0, 1).
    factors_kl = layer.posterior.dim * 0.5 * (100.0 - 1.0 + 1.0)
    for number in (1, 2):
        np.testing.assert_allclose(
            layer.kl(randomness.key(number)), weights_kl + factors_kl, rtol=1e-5
        )


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_without_flows_it_has_a_closed_form(kind):
    layer = without_flows(kind)
    for name in ("mean", "log_precision"):
        variable = mnf_layers.variable(layer, name)
        variable.assign(tf.zeros(variable.shape))
    mean = np.array(mnf_layers.variable(layer, "z_mean"))
    variance = np.exp(mnf_layers.variable(layer, "z_log_variance"))
    # r is N(0, 1).
    exact = 0.5 * np.sum(variance + mean**2 - 1 - np.log(variance))
    squares = mean**2 + variance
    kernel, bias = layer.posterior.means
    factors = (squares[:, None], 1.0) if kind == "dense" else (squares, squares)
    for factor, means, log_variances in zip(
        factors, (kernel, bias), layer.posterior.log_variances()
    ):
        exact += 0.5 * np.sum(
            factor * np.square(means)
            + np.exp(log_variances)
            - log_variances
            - 1
        )
    estimates = kl_samples(layer, 500)
    error = estimates.std() / math.sqrt(500)
    assert abs(estimates.mean() - exact) < 4 * error
    assert error < 0.02 * exact


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_mean_of_the_log_ratio(kind):
    """Weights drawn one by one, all densities from `tfp`, no closed form."""
    layer = mnf_layers.built(kind)
    posterior, count = layer.posterior, 4000
    generator = np.random.default_rng(5)

    def normal(*shape):
        return generator.normal(size=shape).astype("float32")

    noise = normal(count, *posterior.z_noise_shape)
    z, log_det = posterior.sample_z(noise)
    z_std = np.exp(0.5 * np.array(mnf_layers.variable(layer, "z_log_variance")))
    ratio = (
        tfd.Normal(0.0, 1.0).log_prob(noise[:, 0]).numpy() - np.log(z_std)
    ).sum(1) - log_det
    drawn = []
    for index, (mean, log_variance) in enumerate(
        zip(posterior.means, posterior.log_variances())
    ):
        factor = np.ones(1, "float32")
        if "dense" in kind:
            factor = z.numpy()[:, :, None] if index == 0 else factor
        else:
            ones = [1] * (len(mean.shape) - 1)
            factor = z.numpy().reshape(count, *ones, -1)
        given = tfd.Normal(factor * mean, tf.exp(0.5 * log_variance))
        weights = given.mean() + given.stddev() * normal(count, *mean.shape)
        log_ratio = given.log_prob(weights) - tfd.Normal(0.0, 1.0).log_prob(
            weights
        )
        ratio += tf.reduce_sum(tf.reshape(log_ratio, (count, -1)), axis=1)
        drawn.append(weights.numpy())
    ratio -= log_auxiliary(kind, layer, z, drawn, normal)
    estimates = kl_samples(layer, 1000)
    error = math.hypot(
        estimates.std() / math.sqrt(1000), np.std(ratio) / math.sqrt(count)
    )
    assert abs(estimates.mean() - np.mean(ratio)) < 4 * error
    assert error < 0.05 * abs(estimates.mean())


def log_auxiliary(kind, layer, z, drawn, normal):
    """log r(z | W) from the weights themselves, `(n, ...)`."""
    c, b1, b2 = (
        np.array(mnf_layers.variable(layer, name))
        for name in ("projection", "mean", "log_precision")
    )
    if "dense" in kind:
        seen = np.tanh(np.einsum("i,nij->nj", c, drawn[0])).mean(1)
    else:
        seen = np.einsum("f,nabcf->nabc", c, drawn[0]).mean((1, 2, 3))
        if len(drawn) == 2:
            seen += drawn[1] @ c
    flow = layer.posterior._auxiliary.flow
    masks = normal(len(z), flow.num_flows, len(c)) > 0
    mapped, log_det = flow(z, masks.astype("float32"))
    found = tfd.Normal(
        b1 * seen[:, None], np.exp(-0.5 * b2 * seen[:, None]).astype("float32")
    )
    return tf.reduce_sum(found.log_prob(mapped), axis=1) + log_det


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_eager_graph_and_xla_agree(kind):
    layer = mnf_layers.built(kind)
    key = randomness.key(4, 2)
    eager = layer.kl(key)
    assert eager.dtype == tf.float32
    assert eager.shape == ()
    graph = tf.function(layer.kl)(key)
    compiled = tf.function(layer.kl, jit_compile=True)(key)
    np.testing.assert_allclose([graph, compiled], [eager] * 2, rtol=1e-5)
    assert layer.kl(key) == eager
    assert abs(layer.kl(randomness.key(4, 3)) - eager) > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_reaches_every_parameter(kind):
    layer = mnf_layers.built(kind)
    with tf.GradientTape() as tape:
        total = tf.add_n([layer.kl(randomness.key(i)) for i in range(12)])
    variables = layer.trainable_variables
    assert len(variables) == (33 if "no bias" not in kind else 31)
    for variable, gradient in zip(variables, tape.gradient(total, variables)):
        assert np.all(np.array(gradient) != 0), variable.path


def test_gradient_is_finite_where_nothing_is_projected():
    layer = mnf_layers.built("conv")
    variable = mnf_layers.variable(layer, "projection")
    variable.assign(tf.zeros(variable.shape))
    with tf.GradientTape() as tape:
        kl = layer.kl(randomness.key(1))
    for gradient in tape.gradient(kl, layer.trainable_variables):
        assert np.isfinite(gradient).all()


def test_the_limit_is_not_in_the_kl():
    tight, loose = (
        mnf_layers.built("dense", max_std=limit).kl(randomness.key(1))
        for limit in (0.01, None)
    )
    assert tight == loose


def test_the_authors_take_tanh_in_dense_layers_alone():
    projected = tf.constant([-2.0, 0.5])
    for kind, expected in (("dense", np.tanh(projected)), ("conv", projected)):
        found = mnf_layers.built(kind).auxiliary_activation(projected)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_initial_values():
    layer = mnf_layers.KINDS["dense"][0](300)
    layer.build((None, 200))
    values = {v.name: np.array(v) for v in layer.trainable_variables}
    assert values["kernel_mean"].std() == pytest.approx(200**-0.5, rel=0.02)
    for name in ("kernel_log_std", "bias_log_variance"):
        assert np.abs(values[name] + 9).max() <= 0.1 + 1e-5
        assert values[name].std() > 0.03
    for variance, log in zip(
        layer.posterior.variances(),
        (2 * values["kernel_log_std"], values["bias_log_variance"]),
    ):
        np.testing.assert_allclose(variance, np.exp(log), rtol=1e-4)
    assert np.abs(values["z_mean"] - 1).max() <= 0.1 + 1e-6
    np.testing.assert_allclose(values["z_log_variance"], math.log(0.1))
    assert values["hidden_kernel_0"].shape in {(200, 50), (200, 100)}
    other = mnf_layers.KINDS["dense"][0](3, initial_z_mean=0, initial_log_std=2)
    other.build((None, 200))
    assert abs(mnf_layers.variable(other, "z_mean").numpy().mean()) < 0.02
    log_std = mnf_layers.variable(other, "kernel_log_std")
    assert log_std.numpy().mean() == pytest.approx(2, abs=0.02)

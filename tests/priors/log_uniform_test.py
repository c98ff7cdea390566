"""The log-uniform prior, against numerical integration."""

import keras
import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

import bbh_tf as bbh
from tests.models import small_models


def _integral(alpha):
    """KL up to the constant at which it is 0 for infinite alpha."""
    # E log |x| of x ~ N(1, alpha), on either side of the pole.
    q = scipy.stats.norm(1.0, np.sqrt(alpha))
    ends = 1 - 12 * np.sqrt(alpha), 1 + 12 * np.sqrt(alpha)
    parts = sorted({ends[0], *(x for x in (0.0, 1.0) if x > ends[0]), ends[1]})
    value = sum(
        scipy.integrate.quad(
            lambda x: q.pdf(x) * np.log(abs(x)), low, high, limit=200
        )[0]
        for low, high in zip(parts, parts[1:])
    )
    return value - 0.5 * np.log(alpha) + 0.5 * (np.euler_gamma + np.log(2))


@pytest.mark.parametrize(
    ("approximation", "alphas", "error"),
    [
        ("molchanov", np.logspace(-4, 4, 17), 0.012),
        ("kingma", np.logspace(-4, 0, 9), 0.042),
    ],
)
def test_the_kl_is_the_integral(approximation, alphas, error):
    prior = bbh.priors.LogUniform(approximation).distributions([None])[0]
    mean = np.float32(0.3)
    std = mean * np.sqrt(alphas).astype("float32")
    found = tfp.distributions.Normal(mean, std).kl_divergence(prior)
    expected = [_integral(alpha) for alpha in alphas]
    np.testing.assert_allclose(found, expected, atol=error)


@pytest.mark.parametrize("approximation", ["molchanov", "kingma"])
def test_gradients_are_finite_at_the_ends(approximation):
    prior = bbh.priors.LogUniform(approximation).distributions([None])[0]
    mean = tf.constant([0.0, 0.0, 1e3, 1e-20, 1.0])
    std = tf.constant([1.0, 1e-6, 1e-6, 1e2, 1.0])
    with tf.GradientTape() as tape:
        tape.watch([mean, std])
        kl = tfp.distributions.Normal(mean, std).kl_divergence(prior)
    for values in (kl, *tape.gradient(kl, [mean, std])):
        assert np.isfinite(values).all()
    assert (kl.numpy() >= -0.01).all()


@pytest.mark.parametrize(
    ("divergence", "posterior", "what"),
    [
        ("MonteCarloKL", bbh.posteriors.MeanField(), "a prior with a density"),
        ("KernelKL", small_models.implicit(), "a prior that can be sampled"),
        ("AdversarialKL", small_models.implicit(), "that can be sampled"),
        ("NearestNeighbourEntropy", small_models.implicit(), "a prior with a"),
        ("AnalyticKL", small_models.implicit(), "a posterior with a density"),
    ],
)
def test_all_but_the_closed_form_refuses_it(divergence, posterior, what):
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    made = bbh.models.bayesify(network, posterior, bbh.priors.LogUniform())
    with pytest.raises(ValueError, match=what):
        bbh.models.BayesianModel(
            made,
            num_train_examples=8,
            divergence=getattr(bbh.divergences, divergence)(),
        )


def test_what_it_cannot_do_is_refused():
    prior = bbh.priors.LogUniform()
    with pytest.raises(ValueError, match="molchanov, kingma; got 'cubic'"):
        bbh.priors.LogUniform("cubic")
    with pytest.raises(ValueError, match="LogUniform cannot be sampled"):
        prior.sample(1, [], None)
    with pytest.raises(ValueError, match="LogUniform is improper"):
        prior.log_prob([], [], None)

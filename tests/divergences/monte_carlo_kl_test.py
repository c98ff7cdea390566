"""The mean of log q - log p over draws, against closed forms and integrals."""

import keras
import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

import bbh_tf as bbh
from bbh_tf import weights
from bbh_tf.divergences import pair as pairing
from tests.models import small_models

tfd = tfp.distributions
SPECS = [weights.WeightSpec("kernel", (3, 4)), weights.WeightSpec("bias", (4,))]


class WithoutEntropy(bbh.posteriors.MeanField):
    """Whose log-density is all that is known."""

    def entropy(self):
        return None


def _posterior(make=bbh.posteriors.MeanField):
    posterior = make(-1.0, keras.initializers.RandomNormal(seed=1))
    posterior.build(SPECS)
    return posterior


def _pairs(posterior, prior, num_samples, number):
    draw = posterior.draw(num_samples, bbh.randomness.key(number))
    return [bbh.divergences.Pair("layer", posterior, prior, SPECS, draw)]


def _estimates(posterior, prior, count=300):
    """Values and gradients of many estimates, as arrays."""

    @tf.function
    def one(number):
        with tf.GradientTape() as tape:
            pairs = _pairs(posterior, prior, 2, number)
            kl = bbh.divergences.MonteCarloKL().estimate(
                pairs, 1, bbh.randomness.key(0)
            )
        gradients = tape.gradient(kl, posterior.trainable_variables)
        return kl, tf.concat([tf.reshape(g, [-1]) for g in gradients], 0)

    found = [one(tf.constant(number)) for number in range(count)]
    return [np.array(x, np.float64) for x in zip(*found)]


@pytest.mark.parametrize(
    "make", [bbh.posteriors.MeanField, WithoutEntropy], ids=["closed", "drawn"]
)
def test_averages_to_the_closed_form(make):
    posterior, prior = _posterior(make), bbh.priors.Normal(0.3, 0.8)
    with tf.GradientTape() as tape:
        expected = bbh.divergences.AnalyticKL().estimate(
            _pairs(posterior, prior, 1, 0), 1, None
        )
    gradients = tape.gradient(expected, posterior.trainable_variables)
    gradient = np.concatenate([np.ravel(g) for g in gradients])
    values, found = _estimates(posterior, prior)
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - float(expected)) < 3 * error
    errors = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    deviations = (found.mean(axis=0) - gradient) / np.maximum(errors, 1e-6)
    # 32 numbers: within three standard errors, all but by chance.
    assert np.abs(deviations).max() < 4
    assert np.mean(deviations**2) < 1 + 3 * np.sqrt(2 / len(deviations))


def test_a_laplace_prior_against_an_integral():
    posterior = _posterior()
    expected = 0.0
    for q in posterior.distributions():
        for mean, std in zip(np.ravel(q.mean()), np.ravel(q.stddev())):
            density = scipy.stats.norm(mean, std)

            def integrand(w, density=density):
                log_prior = scipy.stats.laplace(0, 1).logpdf(w)
                return density.pdf(w) * (density.logpdf(w) - log_prior)

            value, _ = scipy.integrate.quad(
                integrand, mean - 8 * std, mean + 8 * std, points=[0.0]
            )
            expected += value
    values, _ = _estimates(posterior, bbh.priors.get(tfd.Laplace(0.0, 1.0)))
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - expected) < 3 * error


def test_one_call_for_layers_of_one_prior_is_the_sum_of_two():
    posterior = _posterior(WithoutEntropy)
    one, two = (_pairs(posterior, bbh.priors.Normal(), 3, k) for k in (1, 2))
    key, estimate = bbh.randomness.key(0), bbh.divergences.MonteCarloKL()
    apart = [float(estimate.estimate(pairs, 1, key)) for pairs in (one, two)]
    together = float(estimate.estimate(one + two, 1, key))
    assert together == pytest.approx(sum(apart), rel=1e-5)


def test_each_prior_has_noise_of_its_own(monkeypatch):
    posterior, keys = _posterior(), []
    log_prob = bbh.priors.Normal.log_prob

    def seen(self, samples, specs, key):
        keys.append(np.array(key))
        return log_prob(self, samples, specs, key)

    monkeypatch.setattr(bbh.priors.Normal, "log_prob", seen)
    pairs = [
        pair
        for scale in (1.0, 2.0)
        for pair in _pairs(posterior, bbh.priors.Normal(0.0, scale), 1, 1)
    ]
    key = bbh.randomness.key(0)
    bbh.divergences.MonteCarloKL().estimate(pairs, 1, key)
    assert len(keys) == 2 and (keys[0] != keys[1]).any()
    narrow, _, wide, _ = pairing.sample_priors(pairs, 2, key)
    assert np.abs(2 * narrow - wide).min() > 1e-4


class Bound(bbh.priors.Normal):
    """The normal density, less a nat for each sample."""

    is_bound = True

    def log_prob(self, samples, specs, key):
        return super().log_prob(samples, specs, key) - 1.0


def test_a_bound_is_said_to_be_one():
    def summary(prior):
        network = keras.Sequential(
            [
                keras.Input((4,)),
                bbh.layers.Bayesian(
                    keras.layers.Dense(3), bbh.posteriors.MeanField(), prior
                ),
            ]
        )
        model = small_models.model(
            network, divergence=bbh.divergences.MonteCarloKL()
        )
        lines = []
        model.summary(print_fn=lines.append)
        return model, lines[-1]

    exact, text = summary(bbh.priors.Normal())
    assert "upper bound" not in text
    bound, text = summary(Bound())
    assert "MonteCarloKL of 2 posterior" in text
    assert text.rstrip().endswith("an upper bound on the KL")
    for other, layer in zip(exact.random_layers, bound.random_layers):
        for old, new in zip(other.weights, layer.weights):
            new.assign(old)
    x, y = small_models.data()
    kls = [
        model.train_on_batch(x, y, return_dict=True)["kl"]
        for model in (exact, bound)
    ]
    assert kls[1] - kls[0] == pytest.approx(1.0, abs=1e-3)


def test_what_has_no_density_is_refused():
    estimate = bbh.divergences.MonteCarloKL()
    implicit = bbh.posteriors.Implicit(bbh.hypernetworks.MLP((4,)))
    implicit.build(SPECS)
    pair = bbh.divergences.Pair("fc", implicit, bbh.priors.Normal(), SPECS)
    with pytest.raises(ValueError, match="layer 'fc' has Implicit"):
        estimate.check([pair])
    pair = pair._replace(posterior=_posterior(), prior=bbh.priors.Prior())
    with pytest.raises(ValueError, match="layer 'fc' has Prior"):
        estimate.check([pair])
    with pytest.raises(ValueError, match="num_samples to be at least 1|posit"):
        estimate.num_draws(0)

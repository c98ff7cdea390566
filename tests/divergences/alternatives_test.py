"""What a refusal advises would do, and nothing is advised in a circle."""

import re

import keras
import pytest
import tensorflow as tf

import bbh_tf as bbh
from tests.models import small_models


class Samples(bbh.priors.Prior):
    """All that is known of which are samples."""

    def sample(self, num_samples, specs, key):
        return [tf.zeros((num_samples, *x.shape)) for x in specs]


POSTERIORS = {
    "implicit": small_models.implicit,
    "mean field": bbh.posteriors.MeanField,
    "multivariate normal": bbh.posteriors.MultivariateNormal,
}
PRIORS = {
    "normal": bbh.priors.Normal,
    "log-uniform": bbh.priors.LogUniform,
    "kernel normal": lambda: bbh.priors.KernelNormal(2),
    "samples": Samples,
}


@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("prior", PRIORS)
def test_what_is_advised_does(posterior, prior):
    layer = bbh.layers.Bayesian(
        keras.layers.Conv2D(3, 2, use_bias=False),
        POSTERIORS[posterior](),
        PRIORS[prior](),
    )
    layer.build((None, 4, 4, 1))
    pair = layer.pair()
    takes, advice = set(), []
    for name in (
        "KernelKL",
        "MonteCarloKL",
        "AnalyticKL",
        "NearestNeighbourEntropy",
    ):
        try:
            getattr(bbh.divergences, name)().check([pair])
            takes.add(name)
        except ValueError as error:
            advice.append(str(error).split(". ", 1)[1])
    assert advice or posterior == "mean field"
    for text in advice:
        advised = set(re.findall(r"\b\w+KL\b", text))
        assert advised == takes - {"NearestNeighbourEntropy"}
        assert text.startswith("No divergence") == (not advised)


def test_a_prior_that_would_do_if_it_stayed_is_advised():
    autoencoder = bbh.models.KernelAutoencoder(3, seed=0)
    for train_reverse in (True, False):
        layer = bbh.layers.Bayesian(
            keras.layers.Conv2D(3, 3),
            small_models.implicit(),
            autoencoder.as_prior(train_reverse),
        )
        layer.build((None, 4, 4, 1))
        advice = r"KernelKL needs samples only"
        if train_reverse:
            advice += r", but a prior .*as_prior\(train_reverse=False\)"
        with pytest.raises(ValueError, match=advice + r"\.$"):
            bbh.divergences.MonteCarloKL().check([layer.pair()])

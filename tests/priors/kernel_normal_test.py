"""Normals of whole kernels."""

import keras
import numpy as np
import pytest
import scipy.stats

import bbh_tf as bbh
from bbh_tf import weights
from tests.priors import linear_gaussian


def test_the_fit_is_the_closed_form():
    kernels = linear_gaussian.kernels(50)
    prior = bbh.priors.KernelNormal(3)
    prior.fit(kernels)
    flat = kernels.reshape(50, 9)
    expected = scipy.stats.multivariate_normal(
        flat.mean(axis=0), np.cov(flat.T, bias=True)
    ).logpdf(flat)
    np.testing.assert_allclose(
        prior.slice_log_prob(kernels, None), expected, rtol=1e-3, atol=1e-3
    )
    spec = weights.WeightSpec("kernel", (3, 3, 5, 2))
    # (..., inputs, outputs): slices of the layer are the kernels' pixels.
    kernel = kernels[:10].reshape(1, 5, 2, 3, 3).transpose(0, 3, 4, 1, 2)
    found = prior.log_prob([kernel], [spec], bbh.randomness.key(0))
    assert float(found[0]) == pytest.approx(expected[:10].sum(), rel=1e-3)


def test_samples_have_the_covariance():
    prior = bbh.priors.KernelNormal(3)
    prior.fit(linear_gaussian.kernels(100))
    copy = prior.for_layer([weights.WeightSpec("kernel", (3, 3, 1, 1))])
    drawn = copy.sample_slices(4, 1000, bbh.randomness.key(0))
    assert drawn.shape == (4, 1000, 3, 3)
    flat = np.reshape(drawn, (-1, 9))
    expected = np.cov(linear_gaussian.kernels(100).reshape(100, 9).T, bias=True)
    diagonal = np.diag(expected)
    errors = np.sqrt((expected**2 + np.outer(diagonal, diagonal)) / len(flat))
    assert np.abs((np.cov(flat.T) - expected) / errors).max() < 4.5
    # Biases have noise of their own.
    specs = [
        weights.WeightSpec("kernel", (3, 3, 1, 1)),
        weights.WeightSpec("bias", (9,), "bias"),
    ]
    kernel, bias = bbh.priors.KernelNormal(3).sample(
        2, specs, bbh.randomness.key(0)
    )
    assert np.abs(np.reshape(kernel, (2, 9)) - bias).min() > 1e-4


def test_what_has_no_covariance_is_refused():
    prior = bbh.priors.KernelNormal(3)
    with pytest.raises(ValueError, match="more than 9 different ones; got 9"):
        prior.fit(linear_gaussian.kernels(9))
    with pytest.raises(ValueError, match=r"kernels \(count, 3, 3\); got shape"):
        prior.fit(np.zeros((20, 9)))
    kernels = linear_gaussian.kernels(20)
    kernels[3, 0, 0] = np.nan
    with pytest.raises(ValueError, match="with 1 numbers that are not finite"):
        prior.fit(kernels)
    with pytest.raises(ValueError, match="kernel_size to be a positive"):
        bbh.priors.KernelNormal(0)


@pytest.mark.parametrize("use_bias", [True, False])
def test_what_the_rest_cannot_do_the_prior_cannot(use_bias):
    layer = bbh.layers.Bayesian(
        keras.layers.Conv2D(2, 3, use_bias=use_bias),
        bbh.posteriors.MeanField(),
        bbh.priors.KernelNormal(3, others=bbh.priors.LogUniform()),
    )
    layer.build((None, 4, 4, 1))
    pairs = [layer.pair()]
    if use_bias:
        with pytest.raises(ValueError, match="KernelNormal"):
            bbh.divergences.MonteCarloKL().check(pairs)
    else:
        bbh.divergences.MonteCarloKL().check(pairs)
    with pytest.raises(ValueError, match="KernelNormal, which cannot"):
        bbh.divergences.KernelKL().check(pairs)


def test_a_layer_with_kernels_of_several_sizes_is_told_so():
    layer = bbh.layers.Bayesian(
        keras.layers.SeparableConv2D(2, 3),
        bbh.posteriors.MeanField(),
        bbh.priors.KernelNormal(3),
    )
    with pytest.raises(ValueError, match=r"pointwise.*such kernels, and no o"):
        layer.build((None, 4, 4, 1))

"""Measures of draws of any rank: each pixel is a row."""

import numpy as np
import pytest

import bbh_tf as bbh

MEASURES = bbh.uncertainty


def _segmentation():
    generator = np.random.default_rng(0)
    samples = generator.dirichlet(np.ones(3), (4, 2, 5, 6))
    return samples, generator.integers(3, size=(2, 5, 6))


@pytest.mark.parametrize("name", ["expected_entropy", "mutual_information"])
def test_measures_of_draws_keep_the_shape(name):
    samples, _ = _segmentation()
    measure = getattr(MEASURES, name)
    flat = measure(samples.reshape(4, -1, 3))
    np.testing.assert_allclose(measure(samples), flat.reshape(2, 5, 6))
    with pytest.raises(ValueError, match=r"\(num_samples, examples, ..., cla"):
        measure(samples[0, 0, 0])


@pytest.mark.parametrize(
    "name",
    [
        "error_rate",
        "negative_log_likelihood",
        "brier_score",
        "expected_calibration_error",
    ],
)
def test_scores_are_means_over_all_rows(name):
    samples, labels = _segmentation()
    mean = samples.mean(0)
    score = getattr(MEASURES, name)
    assert score(mean, labels) == score(mean.reshape(-1, 3), labels.ravel())
    with pytest.raises(ValueError, match="labels: expected"):
        score(mean, labels[:, :4])

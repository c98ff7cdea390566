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


def _masked(values):
    """Hides the last number, as what reads files of measurements does."""
    hidden = np.arange(len(values)) == len(values) - 1
    return np.ma.masked_array(values, hidden)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda y: MEASURES.aurc(y(0.0, 1.0), [0.1, 0.2]), "losses"),
        (lambda y: MEASURES.auroc([0.1], y(0.0, 1.0)), "out_scores"),
        (
            lambda y: MEASURES.negative_log_likelihood(np.eye(2), y(0, 1)),
            "labels",
        ),
        (
            lambda y: bbh.postprocessing.AbsoluteIntervals(0.5).calibrate(
                [0.0, 0.0], y(0.5, 1e20)
            ),
            "labels",
        ),
        (
            lambda y: bbh.postprocessing.fit_std_factor(
                [0.0, 0.0], [1.0, 1.0], y(0.5, 1e20)
            ),
            "labels",
        ),
        (
            lambda y: bbh.postprocessing.fit_std_factor(
                [0.0, 0.0], [1.0, 1.0], [0.5, 2.0], y(1.0, 1.0)
            ),
            "sample_weight",
        ),
        (
            lambda y: bbh.postprocessing.fit_binary_temperature(
                [1.0, -1.0], y(1, 1)
            ),
            "labels",
        ),
        (lambda y: bbh.acquisition.select(y(0.1, 0.9), 1), "scores"),
    ],
)
def test_what_is_masked_does_not_count_in_silence(call, name):
    with pytest.raises(ValueError, match=f"{name}: .* without masked .* 1"):
        call(lambda *values: _masked(values))


def test_a_masked_array_that_hides_nothing_is_an_array():
    losses = np.ma.masked_array([0.0, 1.0])
    assert MEASURES.aurc(losses, [0.1, 0.2]) == 0.25

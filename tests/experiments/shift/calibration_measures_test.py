"""Calibration, by hand and where it is perfect by construction."""

import numpy as np
import pytest
from scipy import stats

import bbh_tf as bbh
from experiments.shift import calibration_measures as calibration


def _calibrated(examples, seed=0):
    """Draws predictions of two classes, and labels that come as they say."""
    generator = np.random.default_rng(seed)
    confidences = generator.uniform(0.5, 1, examples)
    labels = (generator.random(examples) > confidences).astype(int)
    return np.stack([confidences, 1 - confidences], axis=-1), labels


def test_bins_of_equal_width_are_the_librarys():
    probabilities, labels = _calibrated(500)
    probabilities[:3] = [[1.0, 0.0], [0.6, 0.4], [2 / 3, 1 / 3]]
    confidences, right = calibration.outcomes(probabilities, labels)
    place = calibration.equal_width(confidences)
    diagram = bbh.uncertainty.reliability_diagram(probabilities, labels)
    found = calibration.bins(place, confidences, right)
    filled = diagram.count > 0
    np.testing.assert_array_equal(found.count, diagram.count[filled])
    np.testing.assert_allclose(found.confidence, diagram.confidence[filled])
    np.testing.assert_allclose(found.accuracy, diagram.accuracy[filled])
    assert calibration.error(place, confidences, right) == pytest.approx(
        bbh.uncertainty.expected_calibration_error(probabilities, labels)
    )


def test_bins_of_equal_mass():
    confidences = np.random.default_rng(0).permutation(np.arange(152)) / 152
    place = calibration.equal_mass(confidences)
    count = np.bincount(place)
    assert len(count) == calibration.NUM_BINS
    assert set(count) == {10, 11}
    # Bins do not overlap.
    for bin_, next_ in zip(range(14), range(1, 15)):
        assert (
            confidences[place == bin_].max() < confidences[place == next_].min()
        )


def test_intervals_are_those_of_an_exact_binomial_test():
    confidences = np.repeat([0.1, 0.5, 0.9], 20)
    right = np.concatenate(
        [np.zeros(20), np.arange(20) < 7, np.ones(20)]
    ).astype(bool)
    found = calibration.bins(
        calibration.equal_width(confidences), confidences, right
    )
    for hits, lower, upper in zip((0, 7, 20), found.lower, found.upper):
        expected = stats.binomtest(hits, 20).proportion_ci(0.95)
        assert lower == pytest.approx(expected.low)
        assert upper == pytest.approx(expected.high)


def test_a_calibrated_model_errs_as_chance_does():
    for examples in (300, 3000):
        found = calibration.measure(*_calibrated(examples))
        for name in ("ece", "ece_mass"):
            chance = found[f"{name}_by_chance"]
            assert found[name] == pytest.approx(chance, rel=0.6)
            # Of order 1 / sqrt(examples in a bin).
            assert 0.2 < chance * np.sqrt(examples) < 2


def test_an_overconfident_model_does_not():
    probabilities, labels = _calibrated(3000)
    sure = probabilities**3
    sure /= sure.sum(axis=-1, keepdims=True)
    found = calibration.measure(sure, labels)
    assert found["confidence"] > found["accuracy"] + 0.1
    for name in ("ece", "ece_mass"):
        assert found[name] > 3 * found[f"{name}_by_chance"]
        assert found[name] == pytest.approx(
            found["confidence"] - found["accuracy"], rel=0.1
        )


def test_a_temperature_mends_what_is_too_sure_on_other_images():
    generator = np.random.default_rng(0)
    logits = 2.0 * generator.normal(size=(5, 4000, 4))
    mean = bbh.uncertainty.class_probabilities(logits).mean(axis=0)
    labels = (mean.cumsum(axis=1) < generator.random((4000, 1))).sum(axis=1)
    labels = np.minimum(labels, 3)
    found = calibration.tempered(3.0 * logits, labels)
    # Of order 1 / sqrt(2000) off.
    assert found["temperature"] == pytest.approx(3.0, rel=0.1)
    assert found["nll_tempered"] < found["nll"] - 0.05
    assert found["ece_tempered"] < 0.05 < found["ece"]
    right = calibration.tempered(logits, logits.mean(0).argmax(1))
    assert right["temperature"] < 1
    # The ends are told by the number, and not by a warning.
    sure = calibration.tempered(100.0 * np.eye(4)[None], np.arange(4))
    assert sure["temperature"] == pytest.approx(0.02)

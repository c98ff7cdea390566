"""Calibration, by hand and where it is perfect by construction."""

import numpy as np
import pytest
from scipy import stats

import bbh_tf as bbh
from experiments.shift import calibration_measures as calibration


@pytest.fixture(autouse=True)
def fewer_simulations(monkeypatch):
    monkeypatch.setattr(calibration, "_NUM_SIMULATIONS", 100)


def _calibrated(examples, seed=0):
    """Draws predictions of two classes, and labels that come as they say."""
    generator = np.random.default_rng(seed)
    confidences = generator.uniform(0.5, 1, examples)
    labels = (generator.random(examples) > confidences).astype(int)
    return np.stack([confidences, 1 - confidences], axis=-1), labels


def test_empty_bins_are_left_out():
    found = calibration.bins(*_calibrated(500), "width")
    # Of two classes nothing is below a half.
    assert len(found.count) == 8 and found.count.sum() == 500
    assert np.all(np.diff(found.confidence) > 0)
    found = calibration.bins(*_calibrated(500), "mass")
    assert set(found.count) == {33, 34}


def test_intervals_are_those_of_an_exact_binomial_test():
    confidences = np.repeat([0.6, 0.75, 0.9], 20)
    right = np.concatenate([np.zeros(20), np.arange(20) < 7, np.ones(20)])
    found = calibration.bins(
        np.stack([confidences, 1 - confidences], axis=-1),
        1 - right.astype(int),
        "width",
    )
    for hits, lower, upper in zip((0, 7, 20), found.lower, found.upper):
        expected = stats.binomtest(hits, 20).proportion_ci(0.95)
        assert lower == pytest.approx(expected.low)
        assert upper == pytest.approx(expected.high)


def test_the_order_of_what_is_equally_sure_does_not_matter():
    probabilities = np.repeat([[0.9, 0.1], [0.8, 0.2]], 30, axis=0)
    labels = np.arange(60) % 30 > 20
    one, other = (
        calibration.measure(probabilities, x.astype(int))
        for x in (labels, labels[::-1])
    )
    assert one == pytest.approx(other)
    for binning in ("width", "mass"):
        for x, y in zip(
            calibration.bins(probabilities, labels.astype(int), binning),
            calibration.bins(probabilities, labels[::-1].astype(int), binning),
        ):
            np.testing.assert_allclose(x, y)


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

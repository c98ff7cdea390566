"""Scores of outliers, by hand, and how well each tells them."""

import numpy as np
import pytest

from bbh_tf import uncertainty


def test_scores_by_hand():
    logits = np.log([[[0.8, 0.2], [0.5, 0.5]], [[0.2, 0.8], [0.5, 0.5]]])
    found = uncertainty.outlier_scores(logits + 3.0)
    half = np.log(2)
    inner = -0.8 * np.log(0.8) - 0.2 * np.log(0.2)
    expected = {
        "max_probability": [0.5, 0.5],
        "entropy": [half, half],
        "energy": [-3.0, -3.0],
        "mutual_information": [half - inner, 0.0],
        # A tie within a draw goes to the first class.
        "variation_ratio": [0.5, 0.0],
    }
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-12)


def test_one_network_has_no_disagreement():
    logits = np.random.default_rng(0).normal(size=(5, 3))
    found = uncertainty.outlier_scores(logits)
    assert list(found) == ["max_probability", "entropy", "energy"]
    drawn = uncertainty.outlier_scores(logits[None])
    assert drawn.keys() == found.keys()
    np.testing.assert_array_equal(drawn["energy"], found["energy"])


def test_energies_of_extreme_logits_are_finite():
    found = uncertainty.energy([[1e4, 0.0], [-1e4, -1e4]])
    np.testing.assert_allclose(found, [-1e4, 1e4 - np.log(2)])
    assert uncertainty.energy([0.0, 0.0]) == pytest.approx(-np.log(2))


def test_votes_of_pixels_keep_their_shape():
    generator = np.random.default_rng(0)
    samples = generator.dirichlet(np.ones(3), (7, 2, 4, 5))
    found = uncertainty.variation_ratio(samples)
    votes = samples.argmax(-1)
    for place in np.ndindex(2, 4, 5):
        votes_here = votes[(slice(None), *place)]
        commonest = np.bincount(votes_here).max()
        assert found[place] == pytest.approx(1 - commonest / 7)


def test_each_score_is_measured():
    generator = np.random.default_rng(1)
    inside = 4.0 * np.eye(3)[generator.integers(3, size=30)]
    inside = inside + 0.3 * generator.normal(size=(6, 30, 3))
    outside = generator.normal(size=(6, 50, 3))
    found = uncertainty.evaluate_outliers(inside, outside)
    scores = uncertainty.outlier_scores(inside)
    others = uncertainty.outlier_scores(outside)
    assert found.keys() == scores.keys()
    for name, measures in found.items():
        assert list(measures) == ["auroc", "aupr", "fpr95"]
        for measure, value in measures.items():
            expected = getattr(uncertainty, measure)(scores[name], others[name])
            assert value == expected
        # Each is the higher the further out.
        assert measures["auroc"] > 0.9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u: u.outlier_scores([1.0, 2.0]), r"logits: .* got \(2,\)"),
        (lambda u: u.energy([[np.inf]]), "logits: expected finite"),
        (lambda u: u.variation_ratio([[0.5, 0.5]]), "sample_probabilities"),
        (
            lambda u: u.evaluate_outliers(
                np.zeros((2, 3, 4)), np.zeros((3, 4))
            ),
            r"out_logits: expected as many draws and .* \(3, 4\)",
        ),
        (
            lambda u: u.evaluate_outliers(
                np.zeros((2, 3, 4)), np.zeros((3, 3, 4))
            ),
            r"out_logits: expected as many draws and .* \(3, 3, 4\) and",
        ),
        (
            lambda u: u.evaluate_outliers(np.zeros((3, 4)), np.zeros((3, 5))),
            r"out_logits: expected as many draws and .* \(3, 5\) and",
        ),
        (lambda u: u.outlier_scores([[0.2, 0.8]]), "without a softmax"),
        (lambda u: u.outlier_scores([[2.0], [1.0]]), "two classes or more"),
        (lambda u: u.energy(1.0), r"logits: expected .* got \(\)"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call(uncertainty)

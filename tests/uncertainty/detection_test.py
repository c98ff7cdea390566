"""Detection scores by hand, by slow loops and against scikit-learn."""

import sys

import numpy as np
import pytest
import sklearn.metrics

from bbh_tf import uncertainty

_SCORES = [uncertainty.auroc, uncertainty.aupr, uncertainty.fpr95]


def _random(seed=0):
    generator = np.random.default_rng(seed)
    # Rounded, so that there are ties within and between the sets.
    return (
        np.round(generator.normal(0, 1, 83), 1),
        np.round(generator.normal(1, 1, 60), 1),
    )


def _slow_fpr95(in_scores, out_scores):
    for threshold in sorted({*in_scores, *out_scores}, reverse=True):
        caught = sum(score >= threshold for score in out_scores)
        if 20 * caught >= 19 * len(out_scores):
            flagged = sum(score >= threshold for score in in_scores)
            return flagged / len(in_scores)
    raise ValueError("no threshold found")


def test_perfect_split():
    low, high = [0.1, 0.2], [0.3, 0.4, 0.5]
    assert uncertainty.auroc(low, high) == 1.0
    assert uncertainty.aupr(low, high) == 1.0
    assert uncertainty.aupr(low, high, positive="in") == 1.0
    assert uncertainty.fpr95(low, high) == 0.0


def test_outliers_that_score_lower():
    low, high = [0.1, 0.2], [0.3, 0.4, 0.5]
    assert uncertainty.auroc(high, low) == 0.0
    assert uncertainty.fpr95(high, low) == 1.0


def test_equal_scores_are_chance():
    assert uncertainty.auroc([1.0] * 3, [1.0] * 5) == 0.5
    assert uncertainty.aupr([1.0] * 3, [1.0] * 5) == 5 / 8
    assert uncertainty.aupr([1.0] * 3, [1.0] * 5, positive="in") == 3 / 8
    assert uncertainty.fpr95([1.0] * 3, [1.0] * 5) == 1.0


def test_auroc_counts_pairs():
    in_scores, out_scores = _random()
    wins = [(o > i) + 0.5 * (o == i) for i in in_scores for o in out_scores]
    assert uncertainty.auroc(in_scores, out_scores) == pytest.approx(
        np.mean(wins)
    )


def test_aupr_by_hand():
    # From the top: out (1/1), in, out (2/3); each adds half the recall.
    assert uncertainty.aupr([0.5], [0.9, 0.1]) == pytest.approx(
        0.5 * 1 + 0.5 * 2 / 3
    )
    # From the bottom: out, in (1/2).
    assert uncertainty.aupr([0.5], [0.9, 0.1], "in") == pytest.approx(0.5)


def test_equal_scikit_learn():
    in_scores, out_scores = _random(1)
    scores = np.concatenate([in_scores, out_scores])
    is_out = np.arange(len(scores)) >= len(in_scores)
    assert uncertainty.auroc(in_scores, out_scores) == pytest.approx(
        sklearn.metrics.roc_auc_score(is_out, scores)
    )
    assert uncertainty.aupr(in_scores, out_scores) == pytest.approx(
        sklearn.metrics.average_precision_score(is_out, scores)
    )
    assert uncertainty.aupr(in_scores, out_scores, "in") == pytest.approx(
        sklearn.metrics.average_precision_score(~is_out, -scores)
    )


@pytest.mark.parametrize("seed", range(10))
def test_fpr95_equals_a_slow_loop(seed):
    in_scores, out_scores = _random(seed)
    expected = _slow_fpr95(in_scores, out_scores)
    assert uncertainty.fpr95(in_scores, out_scores) == pytest.approx(expected)


def test_fpr95_counts_exactly_95_percent_as_enough():
    out_scores = [0.0, *range(2, 21)]
    assert len(out_scores) == 20
    assert uncertainty.fpr95([1.0], out_scores) == 0.0
    assert uncertainty.fpr95([1.0], [0.0, *out_scores]) == 1.0


def test_fpr95_sees_thresholds_on_a_straight_stretch_of_the_curve():
    # Equal sets: scikit-learn's curve is the diagonal, of which two points do.
    scores = np.arange(100.0)
    assert uncertainty.fpr95(scores, scores) == pytest.approx(0.95)


@pytest.mark.parametrize("score", _SCORES)
@pytest.mark.parametrize(
    "in_scores, out_scores, message",
    [
        ([], [1.0], "in_scores: expected at least one value"),
        ([1.0], [], "out_scores: expected at least one value"),
        ([[1.0]], [1.0], r"in_scores: expected shape \(examples,\)"),
        ([1.0], 2.0, r"out_scores: expected shape \(examples,\), got \(\)"),
        ([np.nan], [1.0], "in_scores: expected finite"),
        ([1.0], [np.inf], "out_scores: expected finite"),
        (["a"], [1.0], "in_scores: expected real numbers"),
    ],
)
def test_refusals(score, in_scores, out_scores, message):
    with pytest.raises(ValueError, match=message):
        score(in_scores, out_scores)


def test_refuses_an_unknown_positive_class():
    with pytest.raises(ValueError, match="expected one of out, in, got 'ood'"):
        uncertainty.aupr([0.0], [1.0], positive="ood")


def test_missing_scikit_learn_names_the_extra(monkeypatch):
    # A None entry makes Python's own import statement fail.
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    monkeypatch.delattr("sklearn.metrics", raising=False)
    with pytest.raises(ImportError, match=r"bbh_tf\[experiments\]"):
        uncertainty.auroc([0.0], [1.0])

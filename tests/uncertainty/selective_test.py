"""Risk and coverage against counting, one example after the other."""

import numpy as np
import pytest

from bbh_tf import uncertainty


def _case(kind, count=40, seed=0):
    generator = np.random.default_rng(seed)
    scores = generator.random(count)
    if kind == "ties":
        scores = generator.integers(5, size=count) / 4.0
    if kind == "all tied":
        scores = np.full(count, 0.5)
    losses = generator.random(count) < 0.1 + 0.5 * scores
    if kind == "squared":
        losses = generator.normal(size=count) ** 2
    return losses, scores


def _brute_force(losses, scores, seed):
    """Risks after each example, in one of the orders that the scores allow."""
    shuffled = np.random.default_rng(seed).permutation(len(losses))
    order = sorted(shuffled, key=lambda index: scores[index])
    risks, generalized = [], []
    for accepted in range(1, len(order) + 1):
        total = sum(float(losses[index]) for index in order[:accepted])
        risks.append(total / accepted)
        generalized.append(total / len(order))
    return risks, generalized


@pytest.mark.parametrize("kind", ["0 or 1", "squared"])
def test_areas_equal_brute_force(kind):
    losses, scores = _case(kind)
    risks, generalized = _brute_force(losses, scores, 0)
    curve = uncertainty.risk_coverage(losses, scores)
    np.testing.assert_allclose(curve.risk, risks)
    np.testing.assert_allclose(curve.generalized_risk, generalized)
    np.testing.assert_allclose(curve.coverage, np.arange(1, 41) / 40)
    assert uncertainty.aurc(losses, scores) == pytest.approx(np.mean(risks))
    # Trapezoids from (0, 0) on.
    heights = np.array([0.0, *generalized])
    area = np.mean((heights[1:] + heights[:-1]) / 2)
    assert uncertainty.augrc(losses, scores) == pytest.approx(area)


@pytest.mark.parametrize("kind", ["ties", "all tied"])
def test_ties_are_the_mean_over_their_orders(kind):
    losses, scores = _case(kind)
    orders = [_brute_force(losses, scores, seed) for seed in range(400)]
    curve = uncertainty.risk_coverage(losses, scores)
    for found, every in (
        (curve.risk, np.array([risks for risks, _ in orders])),
        (curve.generalized_risk, np.array([risks for _, risks in orders])),
    ):
        error = every.std(axis=0, ddof=1) / np.sqrt(len(orders))
        off = np.abs(found - every.mean(axis=0))
        assert np.all(off < 4 * error + 1e-12)
        assert error.max() > 0
    # The order that they come in changes nothing.
    again = uncertainty.aurc(losses[::-1], scores[::-1])
    assert again == pytest.approx(uncertainty.aurc(losses, scores), rel=1e-12)


@pytest.mark.parametrize("kind", ["0 or 1", "ties", "all tied"])
def test_augrc_is_a_function_of_auroc_and_error(kind):
    wrong, scores = _case(kind, count=60)
    auroc = uncertainty.auroc(scores[~wrong], scores[wrong])
    error = wrong.mean()
    expected = (1 - auroc) * error * (1 - error) + error**2 / 2
    assert uncertainty.augrc(wrong, scores) == pytest.approx(expected)


def test_the_best_and_the_worst_order():
    wrong = np.arange(10) >= 7
    best = uncertainty.aurc(wrong, wrong)
    worst = uncertainty.aurc(wrong, ~wrong)
    assert best < uncertainty.aurc(wrong, np.zeros(10)) < worst
    assert uncertainty.aurc(wrong, np.zeros(10)) == pytest.approx(0.3)
    assert uncertainty.augrc(np.zeros(10), np.arange(10)) == 0


def test_risk_at_a_coverage():
    losses, scores = _case("0 or 1")
    surest = losses[np.argsort(scores)]
    for coverage, count in (
        (1e-12, 1),
        (0.07, 3),
        (0.5, 20),
        (0.51, 21),
        (1, 40),
    ):
        found = uncertainty.risk_at_coverage(losses, scores, coverage)
        assert found == pytest.approx(surest[:count].mean())
    # 100 * 0.07 is 7 and a bit.
    many = np.arange(100.0)
    assert uncertainty.risk_at_coverage(many, many, 0.07) == 3.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda u: u.aurc([0, 1], [0.5]), "scores: expected 2, .* got 1"),
        (lambda u: u.aurc([[0, 1]], [0, 1]), r"losses: expected .* \(1, 2\)"),
        (lambda u: u.augrc([0, 1], [0.5, np.nan]), "scores: expected finite"),
        (lambda u: u.aurc([], []), "losses: expected at least one"),
        (lambda u: u.risk_at_coverage([0], [0], 0), "coverage: .* got 0"),
        (lambda u: u.risk_at_coverage([0], [0], 95), "coverage: .* got 95"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call(uncertainty)

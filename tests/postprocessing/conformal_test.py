"""Conformal sets and intervals cover as often as they say."""

import math
import pickle

import numpy as np
import pytest

from bbh_tf import postprocessing

_SPLITS = 200
_HELD_OUT, _NEW = 60, 100
_LEVEL = 0.9


def _classes(generator, count):
    """Labels of a model that is far too sure, and its probabilities."""
    logits = 3.0 * generator.normal(size=(count, 5))
    noise = 2.0 * generator.gumbel(size=logits.shape)
    powers = np.exp(logits)
    return powers / powers.sum(1, keepdims=True), (logits + noise).argmax(1)


def _of_sets(made, generator):
    probabilities, labels = _classes(generator, _HELD_OUT + _NEW)
    made.calibrate(probabilities[:_HELD_OUT], labels[:_HELD_OUT])
    sets = made.predict(probabilities[_HELD_OUT:])
    return sets[np.arange(_NEW), labels[_HELD_OUT:]]


def _numbers(generator):
    x = generator.normal(size=_HELD_OUT + _NEW)
    return x, np.sin(x) + np.abs(x) * generator.normal(size=len(x))


def _of_absolute(made, generator, scaled=False):
    x, y = _numbers(generator)
    scales = [(0.1 + np.abs(x))[part] if scaled else None for part in _PARTS]
    made.calibrate(x[_PARTS[0]], y[_PARTS[0]], scales[0])
    lower, upper = made.predict(x[_PARTS[1]], scales[1])
    return (lower <= y[_PARTS[1]]) & (y[_PARTS[1]] <= upper)


def _of_quantiles(made, generator, width):
    x, y = _numbers(generator)
    lower, upper = x - width * np.abs(x), x + width * np.abs(x)
    first, second = _PARTS
    made.calibrate(lower[first], upper[first], y[first])
    lower, upper = made.predict(lower[second], upper[second])
    return (lower <= y[second]) & (y[second] <= upper)


_PARTS = slice(_HELD_OUT), slice(_HELD_OUT, None)
_KINDS = {
    "threshold": lambda seed, g: _of_sets(
        postprocessing.ThresholdSets(_LEVEL), g
    ),
    "adaptive": lambda seed, g: _of_sets(
        postprocessing.AdaptiveSets(_LEVEL, seed=seed), g
    ),
    "regularised": lambda seed, g: _of_sets(
        postprocessing.AdaptiveSets(_LEVEL, seed=seed, penalty=0.1, num_free=2),
        g,
    ),
    "absolute": lambda seed, g: _of_absolute(
        postprocessing.AbsoluteIntervals(_LEVEL), g
    ),
    "scaled": lambda seed, g: _of_absolute(
        postprocessing.AbsoluteIntervals(_LEVEL), g, scaled=True
    ),
    "too narrow": lambda seed, g: _of_quantiles(
        postprocessing.QuantileIntervals(_LEVEL), g, 0.1
    ),
    "too wide": lambda seed, g: _of_quantiles(
        postprocessing.QuantileIntervals(_LEVEL), g, 9.0
    ),
}


@pytest.mark.parametrize("kind", _KINDS)
def test_coverage_over_random_splits(kind):
    generator = np.random.default_rng(1)
    covered = [
        np.mean(_KINDS[kind](seed, generator)) for seed in range(_SPLITS)
    ]
    exact = math.ceil((_HELD_OUT + 1) * _LEVEL) / (_HELD_OUT + 1)
    error = np.std(covered, ddof=1) / math.sqrt(_SPLITS)
    # About 0.003; one place off would move the mean by 0.016.
    assert 0.001 < error < 0.004
    assert abs(np.mean(covered) - exact) < 2 * error


def test_coverage_of_examples_that_come_one_by_one():
    # All had the share of the first place, and sets covered too little.
    generator = np.random.default_rng(0)
    covered = []
    for _ in range(_SPLITS):
        probabilities, labels = _classes(generator, _HELD_OUT + 20)
        made = postprocessing.AdaptiveSets(_LEVEL)
        made.calibrate(probabilities[:_HELD_OUT], labels[:_HELD_OUT])
        sets = [made.predict(row[None])[0] for row in probabilities[-20:]]
        covered.append(np.mean(np.array(sets)[np.arange(20), labels[-20:]]))
    exact = math.ceil((_HELD_OUT + 1) * _LEVEL) / (_HELD_OUT + 1)
    error = np.std(covered, ddof=1) / math.sqrt(_SPLITS)
    assert abs(np.mean(covered) - exact) < 3 * error < 0.02


def test_sets_without_shares_cover_more_and_are_never_empty():
    generator = np.random.default_rng(0)
    made = postprocessing.AdaptiveSets(_LEVEL, randomized=False)
    covered = [np.mean(_of_sets(made, generator)) for _ in range(_SPLITS)]
    error = np.std(covered, ddof=1) / math.sqrt(_SPLITS)
    assert np.mean(covered) > _LEVEL - 2 * error
    probabilities, labels = _classes(generator, 500)
    sizes = {}
    for randomized in (True, False):
        made = postprocessing.AdaptiveSets(0.5, randomized=randomized)
        made.calibrate(probabilities, labels)
        sizes[randomized] = made.predict(probabilities).sum(1)
    assert sizes[False].min() == 1
    assert sizes[True].min() == 0


def test_adaptive_scores_by_hand():
    made = postprocessing.AdaptiveSets(
        0.5, randomized=False, penalty=0.25, num_free=2
    )
    scores = made._scores(np.array([[0.125, 0.625, 0.25]]), 0)
    # Of the classes by rank: 0; 0.625; 0.875, and one class beyond two free.
    np.testing.assert_array_equal(scores, [[1.125, 0.0, 0.625]])
    at_random = postprocessing.AdaptiveSets(0.5, seed=7)
    one, other = (at_random._scores(np.array([[0.5, 0.5]]), k) for k in (0, 1))
    # One share for all classes; another at prediction.
    assert one[0, 1] - one[0, 0] == pytest.approx(0.5)
    assert one[0, 0] != other[0, 0]
    # The one example's share is the threshold, which another's may pass.
    even = [[0.5, 0.5]]
    kept = [
        postprocessing.AdaptiveSets(0.5, seed=seed)
        .calibrate(even, [0])
        .predict(even)[0, 0]
        for seed in range(9)
    ]
    assert 0 < sum(kept) < 9


def test_a_penalty_cuts_the_tail():
    generator = np.random.default_rng(2)
    probabilities, labels = _classes(generator, 2000)
    sizes = []
    for penalty in (0.0, 1.0):
        made = postprocessing.AdaptiveSets(_LEVEL, penalty=penalty, num_free=2)
        made.calibrate(probabilities[:1000], labels[:1000])
        sizes.append(made.predict(probabilities[1000:]).sum(1))
    assert sizes[1].max() < sizes[0].max() == 5


def test_each_of_several_numbers_has_its_own_width():
    generator = np.random.default_rng(3)
    labels = generator.normal(size=(99, 2)) * [1.0, 10.0]
    made = postprocessing.AbsoluteIntervals(0.9)
    made.calibrate(np.zeros((99, 2)), labels)
    lower, upper = made.predict(np.zeros((4, 2)))
    np.testing.assert_allclose(
        upper[0], np.sort(np.abs(labels), axis=0)[89], rtol=1e-14
    )
    np.testing.assert_array_equal(lower, -upper)


@pytest.mark.parametrize("level", [0.3, 0.5, 0.7, 0.9])
def test_round_off_leaves_no_label_out(level):
    """Labels at the very threshold, as whole numbers often are."""
    generator = np.random.default_rng(5)
    predictions = generator.choice([0.1, 0.7, 3.3], size=999)
    labels = predictions.round() + generator.integers(-9, 10, size=999)
    scales = generator.choice([0.3, 0.7, 3.3], size=999)
    for given, by in ((None, 1), (scales, scales)):
        made = postprocessing.AbsoluteIntervals(level)
        made.calibrate(predictions, labels, given)
        lower, upper = made.predict(predictions, given)
        scores = np.abs(labels - predictions) / by
        np.testing.assert_array_equal(
            (lower <= labels) & (labels <= upper),
            scores <= made.threshold + 1e-11,
        )
        np.testing.assert_allclose(upper - lower, 2 * made.threshold * by)
    made = postprocessing.QuantileIntervals(level)
    ends = predictions - scales, predictions + scales
    made.calibrate(*ends, labels)
    lower, upper = made.predict(*ends)
    scores = np.maximum(ends[0] - labels, labels - ends[1])
    np.testing.assert_array_equal(
        (lower <= labels) & (labels <= upper), scores <= made.threshold + 1e-11
    )


def test_the_least_that_a_level_needs_is_enough():
    for level, fewest in ((0.9, 9), (0.95, 19), (0.5, 1), (0.07, 1)):
        made = postprocessing.AbsoluteIntervals(level)
        made.calibrate(np.zeros(fewest), np.arange(fewest))
        if fewest > 1:
            with pytest.raises(ValueError, match=f"at least {fewest} exa"):
                made.calibrate(np.zeros(fewest - 1), np.arange(fewest - 1))
    # (99 + 1) * 0.07 is 7 and a bit.
    for level, threshold in ((0.07, 6), (1e-12, 0)):
        made = postprocessing.AbsoluteIntervals(level)
        made.calibrate(np.zeros(99), np.arange(99))
        assert made.threshold == threshold


def test_what_is_calibrated_can_be_pickled():
    generator = np.random.default_rng(4)
    probabilities, labels = _classes(generator, 50)
    for kind in (postprocessing.ThresholdSets, postprocessing.AdaptiveSets):
        made = kind(0.8).calibrate(probabilities, labels)
        again = pickle.loads(pickle.dumps(made))
        np.testing.assert_array_equal(
            again.predict(probabilities), made.predict(probabilities)
        )


_ROWS = [[0.5, 0.5]] * 20


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p.ThresholdSets(90), "level .* between 0 and 1; got 90"),
        (lambda p: p.AdaptiveSets(True), "level .* got True"),
        (lambda p: p.AdaptiveSets(penalty=-1), "penalty .* got -1"),
        (lambda p: p.AdaptiveSets(num_free=0), "num_free .* got 0"),
        (lambda p: p.AdaptiveSets(seed=None), "seed .* got None"),
        (lambda p: p.AdaptiveSets(seed=True), "seed .* got True"),
        (lambda p: p.AdaptiveSets(randomized="no"), "randomized .* got 'no'"),
        (
            lambda p: p.ThresholdSets().calibrate([[1.0]] * 20, [0] * 20),
            r"two classes or more .* \(20, 1\)",
        ),
        (lambda p: p.ThresholdSets().predict(_ROWS), "ThresholdSets: .*calibr"),
        (
            lambda p: p.ThresholdSets().calibrate(_ROWS, [0.5] * 20),
            "labels: expected integer",
        ),
        (
            lambda p: p.AdaptiveSets().calibrate(_ROWS, [2] * 20),
            r"labels: expected values in 0\.\.1, got 2",
        ),
        (
            lambda p: p.AdaptiveSets().calibrate([_ROWS], [0]),
            r"probabilities: expected shape \(examples, classes\)",
        ),
        (
            lambda p: p.AbsoluteIntervals().calibrate([[0.0]] * 20, [0.0] * 20),
            r"labels: expected shape \(20, 1\), got \(20,\)",
        ),
        (
            lambda p: p.AbsoluteIntervals().calibrate([0, math.nan], [0, 0]),
            "predictions: expected finite",
        ),
        (
            lambda p: p.AbsoluteIntervals().calibrate([0], [0], [0]),
            "scales: expected numbers above 0, got 0",
        ),
        (
            lambda p: (
                p.ThresholdSets(0.5)
                .calibrate(_ROWS, [0] * 20)
                .predict(np.eye(3))
            ),
            "ThresholdSets.predict: expected a number of classes .* 2; got 3",
        ),
        (
            lambda p: (
                p.AdaptiveSets(0.5)
                .calibrate(_ROWS, [0] * 20)
                .predict(np.eye(3))
            ),
            "AdaptiveSets.predict: expected a number of classes .* 2; got 3",
        ),
        (
            lambda p: (
                p.AbsoluteIntervals(0.5)
                .calibrate([0] * 9, [1] * 9, [1] * 9)
                .predict([0])
            ),
            r"\(examples\) with scales; got \(examples\) without scales",
        ),
        (
            lambda p: (
                p.AbsoluteIntervals(0.5)
                .calibrate([[0, 0]] * 9, [[1, 2]] * 9)
                .predict([[0]])
            ),
            r"\(examples, 2\) without scales; got \(examples, 1\) without",
        ),
        (
            lambda p: (
                p.QuantileIntervals(0.5)
                .calibrate([[0, 0]] * 9, [[1, 1]] * 9, [[1, 2]] * 9)
                .predict([[0]], [[1]])
            ),
            r"labels of an example of shape .* \(2,\); got \(1,\)",
        ),
        (
            lambda p: p.QuantileIntervals().calibrate([1, 0], [0, 1], [0, 0]),
            "lower: .* at most upper, got 1 above",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call(postprocessing)

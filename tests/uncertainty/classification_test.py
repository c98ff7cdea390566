"""Error, likelihood and Brier score on cases known by hand."""

import math

import numpy as np
import pytest
import sklearn.metrics

from bbh_tf import uncertainty

_SCORES = [
    uncertainty.error_rate,
    uncertainty.negative_log_likelihood,
    uncertainty.brier_score,
    uncertainty.expected_calibration_error,
    uncertainty.reliability_diagram,
]


def _random(seed=0, num_examples=200, num_classes=4):
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(num_classes), num_examples)
    return probabilities, generator.integers(num_classes, size=num_examples)


def test_error_rate_by_hand():
    rows = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]]
    assert uncertainty.error_rate(rows, [0, 1, 1, 0]) == 0.25
    # A tie goes to class 0.
    assert uncertainty.error_rate([[0.5, 0.5]], [1]) == 1.0


def test_likelihood_by_hand():
    rows = [[0.5, 0.5], [0.25, 0.75]]
    assert uncertainty.negative_log_likelihood(rows, [0, 0]) == pytest.approx(
        (math.log(2) + math.log(4)) / 2
    )


def test_likelihood_at_probability_zero_and_one():
    rows = [[1.0, 0.0]]
    assert uncertainty.negative_log_likelihood(rows, [0]) == 0.0
    floor = -math.log(float(np.finfo(np.float32).tiny))
    assert uncertainty.negative_log_likelihood(rows, [1]) == pytest.approx(
        floor
    )
    assert floor == pytest.approx(87.34, abs=0.01)


def test_brier_by_hand():
    assert uncertainty.brier_score([[1.0, 0.0]], [0]) == 0.0
    assert uncertainty.brier_score([[1.0, 0.0]], [1]) == 2.0
    assert uncertainty.brier_score([[1 / 3] * 3], [2]) == pytest.approx(2 / 3)


def test_all_three_equal_slow_loops():
    probabilities, labels = _random()
    errors = nats = squares = 0.0
    for row, label in zip(probabilities, labels, strict=True):
        errors += int(row.argmax() != label)
        nats -= math.log(row[label])
        for k, p in enumerate(row):
            squares += (p - (k == label)) ** 2
    assert uncertainty.error_rate(probabilities, labels) == errors / 200
    assert uncertainty.negative_log_likelihood(
        probabilities, labels
    ) == pytest.approx(nats / 200)
    assert uncertainty.brier_score(probabilities, labels) == pytest.approx(
        squares / 200
    )


def test_all_three_equal_scikit_learn():
    probabilities, labels = _random(1)
    assert uncertainty.error_rate(probabilities, labels) == pytest.approx(
        1 - sklearn.metrics.accuracy_score(labels, probabilities.argmax(-1))
    )
    assert uncertainty.negative_log_likelihood(
        probabilities, labels
    ) == pytest.approx(sklearn.metrics.log_loss(labels, probabilities))
    try:
        oracle = sklearn.metrics.brier_score_loss(
            labels, probabilities, labels=range(4)
        )
    except (TypeError, ValueError):
        pytest.skip("this scikit-learn has no Brier score of many classes")
    assert uncertainty.brier_score(probabilities, labels) == pytest.approx(
        oracle
    )


def test_labels_of_any_integer_type():
    probabilities, labels = _random(2)
    expected = uncertainty.negative_log_likelihood(probabilities, labels)
    for dtype in (np.int8, np.uint8, np.int32, np.uint64):
        assert (
            uncertainty.negative_log_likelihood(
                probabilities, labels.astype(dtype)
            )
            == expected
        )


@pytest.mark.parametrize("score", _SCORES)
@pytest.mark.parametrize(
    "probabilities, labels, message",
    [
        ([0.5, 0.5], [0], r"shape \(examples, ..., classes\), got \(2,\)"),
        ([[[0.5, 0.5]]], [0], r"shape \(1, 1\), got \(1,\)"),
        (np.zeros((0, 2)), [], "at least one value"),
        ([[0.5, 0.6]], [0], "got a sum of 1.1"),
        ([[1.5, -0.5]], [0], "got -0.5"),
        ([[np.nan, 1.0]], [0], "1 NaN or inf"),
        ([[0.5, 0.5]], [2], "values in 0..1, got 2"),
        ([[0.5, 0.5]], [-1], "values in 0..1, got -1"),
        ([[0.5, 0.5]], [0.0], "integer class numbers, got dtype float64"),
        ([[0.5, 0.5]], [True], "integer class numbers, got dtype bool"),
        ([[0.5, 0.5]], [0, 1], "expected 1 labels, .* got 2"),
        ([[0.5, 0.5]], [[1, 0]], r"labels: expected shape \(examples,\)"),
        ([[0.5, 0.5]], 0, r"labels: expected shape \(examples,\), got \(\)"),
    ],
)
def test_refusals(score, probabilities, labels, message):
    with pytest.raises(ValueError, match=message):
        score(probabilities, labels)

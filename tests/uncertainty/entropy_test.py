"""Entropies against closed forms and a slow loop."""

import math

import numpy as np
import pytest

from bbh_tf import uncertainty


def _softmax(logits):
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def _samples(seed=0, shape=(7, 5, 4)):
    return _softmax(3.0 * np.random.default_rng(seed).normal(size=shape))


def _slow_entropy(row):
    return -sum(p * math.log(p) for p in row if p > 0)


def test_known_values():
    rows = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]]
    np.testing.assert_allclose(
        uncertainty.predictive_entropy(rows),
        [0.0, math.log(2), math.log(3)],
        atol=1e-15,
    )


def test_certain_row_is_exactly_positive_zero():
    entropy = uncertainty.predictive_entropy([0.0, 1.0])
    assert entropy == 0.0
    assert math.copysign(1.0, entropy) == 1.0
    assert isinstance(entropy, float)


def test_leading_axes_are_kept():
    samples = _samples()
    entropy = uncertainty.predictive_entropy(samples)
    assert entropy.shape == (7, 5)
    assert entropy.dtype == np.float64
    assert entropy[3, 2] == pytest.approx(_slow_entropy(samples[3, 2]))


def test_float32_rows_stay_within_log_classes():
    rows = np.full((3, 10), 0.1, np.float32)
    rows[1] *= 1.0005
    entropy = uncertainty.predictive_entropy(rows)
    assert np.all(entropy <= math.log(10) + 1e-15)


def test_split_equals_slow_loop():
    samples = _samples()
    for n in range(samples.shape[1]):
        mean = samples[:, n].mean(0)
        expected = np.mean([_slow_entropy(row) for row in samples[:, n]])
        assert uncertainty.expected_entropy(samples)[n] == pytest.approx(
            expected
        )
        assert uncertainty.mutual_information(samples)[n] == pytest.approx(
            _slow_entropy(mean) - expected
        )


def test_split_adds_up():
    samples = _samples(1)
    np.testing.assert_allclose(
        uncertainty.expected_entropy(samples)
        + uncertainty.mutual_information(samples),
        uncertainty.predictive_entropy(samples.mean(0)),
        rtol=1e-12,
    )


def test_mutual_information_of_draws_that_disagree():
    samples = np.eye(3)[:, None, :]
    np.testing.assert_allclose(
        uncertainty.mutual_information(samples), [math.log(3)]
    )
    np.testing.assert_array_equal(uncertainty.expected_entropy(samples), [0.0])


def test_mutual_information_of_equal_draws_is_zero_and_never_negative():
    samples = np.repeat(_samples(2, (1, 500, 10)), 13, axis=0)
    information = uncertainty.mutual_information(samples.astype(np.float32))
    assert np.all(information >= 0.0)
    np.testing.assert_allclose(information, 0.0, atol=1e-14)


def test_draws_count_alike_whatever_their_rows_add_up_to():
    samples = _samples(3)
    sums = 1.0 + 9e-4 * np.linspace(-1.0, 1.0, 7)[:, None, None]
    np.testing.assert_allclose(
        uncertainty.mutual_information(samples * sums),
        uncertainty.mutual_information(samples),
        rtol=1e-10,
    )


def test_no_warning_at_zero_probability():
    with np.errstate(all="raise"):
        uncertainty.mutual_information([[[0.0, 1.0]], [[1.0, 0.0]]])


@pytest.mark.parametrize(
    "rows, message",
    [
        (0.5, r"expected shape \(\.\.\., classes\), got \(\)"),
        ([], "expected at least one value"),
        (np.zeros((3, 0)), "expected at least one value"),
        ([[0.5, 0.4]], "sum to 1 over the last axis, got a sum of 0.9"),
        ([[2.0, -1.0]], r"values in \[0, 1\], got -1"),
        ([[np.nan, 1.0]], "finite values, got 1 NaN or inf"),
        ([[np.inf, 1.0]], "finite values, got 1 NaN or inf"),
        ([["a", "b"]], "expected real numbers"),
        ([[1j, 1.0]], "expected real numbers"),
    ],
)
def test_refuses_what_is_no_distribution(rows, message):
    with pytest.raises(ValueError, match=message):
        uncertainty.predictive_entropy(rows)


@pytest.mark.parametrize(
    "function", [uncertainty.expected_entropy, uncertainty.mutual_information]
)
@pytest.mark.parametrize("shape", [(2,), (3, 2)])
def test_split_refuses_wrong_rank(function, shape):
    rows = np.full(shape, 0.5)
    with pytest.raises(
        ValueError,
        match=r"expected shape \(num_samples, examples, ..., classes\), got",
    ):
        function(rows)


@pytest.mark.parametrize(
    "function", [uncertainty.expected_entropy, uncertainty.mutual_information]
)
def test_split_refuses_logits(function):
    with pytest.raises(ValueError, match="sample_probabilities: expected rows"):
        function(np.ones((2, 3, 4)))


def test_class_probabilities_leave_their_argument_alone():
    logits = np.array([[1000.0, 0.0, -1000.0], [0.0, np.log(3.0), 0.0]])
    before = logits.copy()
    found = uncertainty.class_probabilities(logits)
    np.testing.assert_allclose(found, [[1, 0, 0], [0.2, 0.6, 0.2]], atol=1e-12)
    np.testing.assert_array_equal(logits, before)
    with pytest.raises(ValueError, match="logits: expected finite values"):
        uncertainty.class_probabilities([np.nan, 0.0])
    # Of a single output it would be 1, whatever the logit.
    with pytest.raises(ValueError, match="logits: expected two classes or mo"):
        uncertainty.class_probabilities([[3.0], [-3.0]])
    with pytest.raises(ValueError, match=r"shape \(..., classes\), got \(\)"):
        uncertainty.class_probabilities(3.0)

"""The area under the entropy CDF, exact and as the released code has it."""

import math

import numpy as np
import pytest

from bbh_tf.uncertainty import entropy_auc

_LOG10 = math.log(10)


def test_extremes_and_direction():
    assert entropy_auc(np.zeros(4), 10) == 1.0
    assert entropy_auc(np.full(4, _LOG10), 10) == pytest.approx(0.0, abs=1e-15)
    confident, vague = np.full(3, 0.1), np.full(3, 2.0)
    assert entropy_auc(confident, 10) > entropy_auc(vague, 10)


def test_exact_is_the_area_under_the_step_function():
    entropies = np.sort(np.random.default_rng(0).uniform(0, math.log(5), 31))
    ends = np.append(entropies, math.log(5))
    area = 0.0
    for i, start in enumerate(ends[:-1]):
        area += (i + 1) / 31 * (ends[i + 1] - start)
    assert entropy_auc(entropies, 5) == pytest.approx(area / math.log(5))


def test_released_code_at_zero_entropy():
    # All mass in the first of 499 bins, so the CDF is 1 over all of them.
    assert entropy_auc(np.zeros(3), 10, "released_code") == pytest.approx(
        499 / 500 * _LOG10
    )


@pytest.mark.parametrize("num_classes", [2, 3, 5, 8, 10, 100])
def test_released_code_equals_a_slow_loop(num_classes):
    maximum = math.log(num_classes)
    entropies = np.random.default_rng(1).uniform(0, maximum, 200)
    entropies[:5] = maximum
    width = maximum / 500
    kept = [h for h in entropies if h <= 499 * width]
    area = 0.0
    for k in range(1, 500):
        below = [h for h in kept if h < k * width or k == 499]
        area += width * len(below) / len(kept)
    assert len(kept) <= 195
    assert entropy_auc(
        entropies, num_classes, "released_code"
    ) == pytest.approx(area)


def test_variants_agree_once_divided():
    entropies = np.random.default_rng(2).beta(1, 3, 5000) * _LOG10 * 0.99
    released = entropy_auc(entropies, 10, variant="released_code")
    assert released / _LOG10 == pytest.approx(
        entropy_auc(entropies, 10), abs=2e-3
    )


def test_released_code_drops_what_lies_above_the_last_edge():
    some = [0.3, 0.7]
    assert entropy_auc(some, 10, "released_code") == entropy_auc(
        [*some, _LOG10, 0.999 * _LOG10], 10, "released_code"
    )


def test_float32_round_off_above_the_maximum_is_taken():
    entropies = np.full(3, _LOG10 + 2e-6, np.float32)
    assert entropy_auc(entropies, 10) == 0.0


def test_refuses_undefined_released_code():
    with pytest.raises(ValueError, match="undefined when all lie above"):
        entropy_auc(np.full(5, _LOG10), 10, "released_code")


@pytest.mark.parametrize(
    "entropies, num_classes, variant, message",
    [
        ([0.1], 10, "paper", "expected one of exact, released_code"),
        ([0.1], 1, "exact", "integer of at least 2, got 1"),
        ([0.1], 10.0, "exact", "integer of at least 2, got 10.0"),
        ([0.1], True, "exact", "integer of at least 2, got True"),
        ([], 10, "exact", "at least one value"),
        ([[0.1]], 10, "exact", r"shape \(examples,\), got \(1, 1\)"),
        ([np.nan], 10, "exact", "1 NaN or inf"),
        ([-0.1], 10, "exact", "nats, got -0.1 to -0.1"),
        ([0.1, 1.0], 2, "exact", "nats, got 0.1 to 1"),
    ],
)
def test_refusals(entropies, num_classes, variant, message):
    with pytest.raises(ValueError, match=message):
        entropy_auc(entropies, num_classes, variant)

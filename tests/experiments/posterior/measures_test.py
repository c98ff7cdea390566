"""Measures of draws of weights, against distributions that are known."""

import numpy as np
import pytest
from scipy import stats

from experiments.posterior import measures


def _normal(draws, weights, seed=0):
    return np.random.default_rng(seed).normal(size=(draws, weights))


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_anderson_darling_is_scipys():
    values = _normal(50, 3) ** 3
    found = measures.anderson_darling(values)
    for column, statistic in zip(values.T, found):
        expected = stats.anderson(column).statistic
        expected *= 1 + 0.75 / 50 + 2.25 / 50**2
        assert statistic == pytest.approx(expected)


@pytest.mark.parametrize("draws", [10, 300])
def test_one_in_a_hundred_normals_is_rejected(draws):
    share = np.mean(measures.is_not_normal(_normal(draws, 4000)))
    # Four standard errors of 4,000 weights, and what the table rounds.
    assert abs(share - 0.01) < 4 * np.sqrt(0.01 * 0.99 / 4000) + 0.001


def test_shapes_of_known_marginals():
    draws, each = 500, 40
    normal = _normal(draws, each)
    signs = 2 * np.random.default_rng(1).integers(0, 2, (draws, each)) - 1
    for values, not_normal, multimodal in (
        (normal, 0, 0),
        (np.exp(normal), 1, 0),
        (3 * signs + normal, 1, 1),
    ):
        found = measures.shapes(values.astype(np.float32))
        assert found["resolved"] == each
        assert found["not_normal"] == pytest.approx(not_normal, abs=0.1)
        assert found["multimodal"] == pytest.approx(multimodal, abs=0.1)


def test_weights_that_only_rounding_moves_are_left_out():
    values = 1 + np.array([1e-3, 1e-7, 0.0]) * _normal(100, 3)
    values = values.astype(np.float32)
    assert measures.is_resolved(values).tolist() == [True, False, False]
    assert measures.shapes(values)["resolved"] == 1
    assert measures.shapes(values[:, 1:])["not_normal"] is None
    assert np.isnan(measures.correlations(values)[0, 1])
    found = measures.dependence(values, 1)
    assert found["correlation"] is None
    assert found["effective_rank"] is None


def test_correlations_are_numpys():
    values = (_normal(30, 5) @ _normal(5, 4, seed=1)).astype(np.float32)
    np.testing.assert_allclose(
        measures.correlations(values), np.corrcoef(values.T), atol=1e-6
    )


def test_ranks_by_hand():
    assert measures.ranks(np.eye(7)) == pytest.approx((7, 7))
    assert measures.ranks(np.ones((7, 7))) == pytest.approx((1, 1))
    # Shares 3/4 and 1/4.
    rank, ratio = measures.ranks(np.diag([3.0, 1.0, 0.0]))
    assert rank == pytest.approx((4 / 3) ** 0.75 * 4**0.25)
    assert ratio == pytest.approx(16 / 10)


@pytest.mark.parametrize(("draws", "weights"), [(300, 100), (60, 200)])
def test_independent_weights_are_as_expected(draws, weights):
    values = _normal(draws, weights).astype(np.float32)
    found = measures.dependence(values, 10)
    expected = measures.of_independent_weights(draws, weights)
    assert expected["effective_rank"] < min(draws, weights)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=0.02)


def test_a_factor_for_each_filter_correlates_within_filters():
    generator = np.random.default_rng(0)
    factors = np.tile(generator.normal(size=(2000, 4)), 9)
    values = factors + 0.5 * generator.normal(size=factors.shape)
    found = measures.dependence(values.astype(np.float32), 4)
    expected = measures.of_independent_weights(2000, 36)["correlation"]
    # 1 / (1 + 0.5^2).
    assert found["within_filters"] == pytest.approx(0.8, abs=0.01)
    assert found["between_filters"] == pytest.approx(expected, rel=0.5)
    assert 4 < found["effective_rank"] < 20

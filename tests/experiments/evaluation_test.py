"""From logits to the columns of a table."""

import numpy as np
import pytest

from experiments import evaluation


def test_predictive_averages_probabilities_not_logits():
    logits = np.log([[[0.9, 0.1]], [[0.2, 0.8]]])
    result = evaluation.predictive(logits)
    np.testing.assert_allclose(result["probabilities"], [[0.55, 0.45]])
    entropy = -(0.55 * np.log(0.55) + 0.45 * np.log(0.45))
    assert result["entropy"][0] == pytest.approx(entropy)
    assert result["mutual_information"][0] > 0


def test_extreme_logits_are_finite():
    result = evaluation.predictive(np.array([[[1e4, -1e4, 0.0]]]))
    np.testing.assert_allclose(result["probabilities"], [[1, 0, 0]])
    assert result["entropy"][0] == 0


@pytest.mark.parametrize("num_samples", [1, 7])
def test_means_say_what_the_draws_say(num_samples):
    logits = np.random.default_rng(0).normal(size=(num_samples, 50, 4))
    wanted = evaluation.predictive(logits)
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(axis=-1, keepdims=True)
    terms = -probabilities * np.log(probabilities)
    found = evaluation.predictive_of_means(
        probabilities.mean(axis=0), terms.sum(axis=-1).mean(axis=0)
    )
    assert found.keys() == wanted.keys()
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-14)
    # One draw disagrees with none.
    none = (found["mutual_information"] == 0).all()
    assert none == (num_samples == 1)


def test_measures_of_a_perfect_and_of_a_useless_prediction():
    sure = evaluation.predictive(50 * np.eye(3)[None])
    unsure = evaluation.predictive(np.zeros((1, 4, 3)))
    measures = evaluation.measures(
        sure, np.arange(3, dtype=np.int32), unsure, 3
    )
    assert measures["error_percent"] == 0
    assert measures["in_auc"] == pytest.approx(1)
    assert measures["outlier_auc"] == pytest.approx(0, abs=1e-12)
    assert measures["auroc"] == 1
    assert measures["fpr95"] == 0
    assert measures["aurc_per_mille"] == 0
    assert measures["nll"] == pytest.approx(0, abs=1e-12)


def test_selective_measures_go_by_the_highest_probability():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    test = evaluation.predictive_of_means(probabilities, np.zeros(4))
    # Surest first, the second is wrong.
    found = evaluation.measures(test, np.array([0, 0, 0, 1]), test, 2)
    curve = [0, 1 / 2, 1 / 3, 1 / 4]
    assert found["aurc_per_mille"] == pytest.approx(1000 * np.mean(curve))
    # 1000 / 16 * (0 / 2 + (0 + 1) / 2 + (1 + 1) / 2 + (1 + 1) / 2)
    assert found["augrc_per_mille"] == pytest.approx(1000 * 2.5 / 16)

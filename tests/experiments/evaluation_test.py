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
    assert measures["nll"] == pytest.approx(0, abs=1e-12)

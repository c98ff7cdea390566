"""Measures of a prediction, in closed form."""

import math

import numpy as np
import pytest

from experiments.defaults import measures
from experiments.defaults import problems


def problem(labels, num_classes):
    x = np.zeros((len(labels), 1), np.float32)
    return problems.Problem((x, labels), (x, labels), None, num_classes)


def test_numbers_under_one_normal():
    random = np.random.default_rng(0)
    labels = random.normal(0.5, 2.0, 4000).astype(np.float32)
    # softplus(log(e^2 - 1)) = 2.
    outputs = np.broadcast_to([0.5, math.log(math.exp(2) - 1)], (1, 4000, 2))
    found = measures.of(problem(labels, None), outputs, None)
    error = 2.0 / math.sqrt(2 * 4000)
    assert abs(found["error"] - 2.0) < 4 * error
    entropy = 0.5 * math.log(2 * math.pi * math.e * 4)
    assert abs(found["nll"] - entropy) < 4 / math.sqrt(2 * 4000)
    assert abs(found["coverage"] - 90) < 4 * 100 * math.sqrt(0.09 / 4000) + 1


def test_numbers_under_two_draws():
    labels = np.zeros(3, np.float32)
    raw = math.log(math.e - 1)
    outputs = np.array([[[0.0, raw]] * 3, [[2.0, raw]] * 3])
    found = measures.of(problem(labels, None), outputs, None)
    density = (1 + math.exp(-2)) / 2 / math.sqrt(2 * math.pi)
    assert found["nll"] == pytest.approx(-math.log(density), rel=1e-5)
    assert found["error"] == pytest.approx(1.0)


def test_classes_and_mistakes():
    labels = np.array([0, 1, 1, 0])
    sure, unsure = [8.0, 0.0], [0.5, 0.0]
    # The third is wrong, and unsure.
    outputs = np.array([[sure, sure[::-1], unsure, sure]])
    found = measures.of(problem(labels, 2), outputs, None)
    assert found["error"] == 25.0
    assert found["wrong"] == [0, 0, 1, 0]
    assert found["auroc"] is None
    assert measures.misclassification([found, found]) == 1.0
    right = {"wrong": [0, 0], "entropies": [0.1, 0.2]}
    assert measures.misclassification([right]) is None
    # Of two splits it is one ranking, not the mean of two.
    found["entropies"] = [0.0, 0.0, 0.65, 0.0]
    other = {"wrong": [0, 1], "entropies": [0.6, 0.1]}
    assert measures.misclassification([found, other]) == 7 / 8


def test_outliers_by_entropy():
    labels = np.array([0, 0])
    whole = problem(labels, 2)
    inside = np.array([[[8.0, 0.0], [7.0, 0.0]]])
    outside = np.array([[[0.1, 0.0], [7.5, 0.0]]])
    assert measures.of(whole, inside, outside)["auroc"] == 0.75

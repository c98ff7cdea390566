"""Reliability: bins of equal width or mass, intervals, and what chance does."""

import typing
import warnings

import numpy as np
from scipy import stats

import bbh_tf as bbh

NUM_BINS = 15
_COVERAGE = 0.95
_NUM_SIMULATIONS = 1000


class Bins(typing.NamedTuple):
    """Predictions sorted into bins by confidence, empty bins left out.

    Attributes:
        confidence: array `(bins,)`, mean confidence.
        accuracy: array `(bins,)`, share of right predictions.
        lower: array `(bins,)`, lower end of accuracy's 95 % interval.
        upper: array `(bins,)`, its upper end.
        count: array `(bins,)`, predictions in a bin.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    count: np.ndarray


def equal_width(confidences):
    """Gives each prediction one of 15 bins of equal width.

    Args:
        confidences: array `(examples,)`, the highest probabilities.

    Returns:
        Integer array `(examples,)`; a confidence of exactly 1 is in the last.
    """
    return np.searchsorted(np.arange(1, NUM_BINS) / NUM_BINS, confidences)


def equal_mass(confidences):
    """Gives each prediction one of 15 bins of as many predictions each.

    See `equal_width`.
    """
    place = np.empty(len(confidences), int)
    order = np.argsort(confidences, kind="stable")
    place[order] = np.arange(len(order)) * NUM_BINS // len(order)
    return place


def bins(place, confidences, right):
    """Summarises predictions bin by bin.

    Args:
        place: integer array `(examples,)`, the bin of each prediction.
        confidences: array `(examples,)`.
        right: bool array `(examples,)`, whether the prediction is right.

    Returns:
        `Bins`.
    """
    count = np.bincount(place, minlength=NUM_BINS)
    filled = count > 0
    total = count[filled]
    hits = np.bincount(place, right, NUM_BINS)[filled]
    confidence = np.bincount(place, confidences, NUM_BINS)[filled] / total
    # Clopper and Pearson's interval, which never covers less than it says.
    tail = (1 - _COVERAGE) / 2
    some, all_but_some = hits > 0, hits < total
    lower, upper = np.zeros(len(total)), np.ones(len(total))
    lower[some] = stats.beta.ppf(tail, hits[some], (total - hits + 1)[some])
    upper[all_but_some] = stats.beta.ppf(
        1 - tail, (hits + 1)[all_but_some], (total - hits)[all_but_some]
    )
    return Bins(confidence, hits / total, lower, upper, total)


def error(place, confidences, right):
    """Computes the expected calibration error: the mean gap of the bins.

    Args: see `bins`.

    Returns:
        A float from 0 to 1.
    """
    gaps = np.bincount(place, confidences - right, NUM_BINS)
    return float(np.sum(np.abs(gaps)) / len(confidences))


def measure(probabilities, labels):
    """Measures how far confidence and accuracy are apart.

    Args:
        probabilities: array `(examples, classes)`.
        labels: integer array `(examples,)`.

    Returns:
        Dictionary of floats: `"accuracy"`, `"confidence"` (means),
        `"nll"` (nats per example), `"brier"`; `"ece"` and `"ece_mass"`, with
        bins of equal width and equal mass; `"ece_by_chance"` and
        `"ece_mass_by_chance"`, what a model has on average that is right as
        often as it is confident, from as many examples.
    """
    confidences, right = outcomes(probabilities, labels)
    found = {
        "accuracy": float(np.mean(right)),
        "confidence": float(np.mean(confidences)),
        "nll": bbh.uncertainty.negative_log_likelihood(probabilities, labels),
        "brier": bbh.uncertainty.brier_score(probabilities, labels),
    }
    for name, sort in (("ece", equal_width), ("ece_mass", equal_mass)):
        place = sort(confidences)
        found[name] = error(place, confidences, right)
        found[f"{name}_by_chance"] = _error_by_chance(place, confidences)
    return found


def tempered(logits, labels):
    """Measures what a temperature does that was fitted on other images.

    Args:
        logits: array `(num_samples, examples, classes)`, two examples or more.
        labels: integer array `(examples,)`.

    Returns:
        Dictionary of floats: `"temperature"`, fitted on every other image from
        the first on; on the others, `"nll"` (nats per example) and `"ece"`
        before, `"nll_tempered"` and `"ece_tempered"` under it.
    """
    with warnings.catch_warnings():
        # The table shows where it is one of the two ends.
        warnings.filterwarnings("ignore", message="The .*est temperature that")
        temperature = bbh.postprocessing.fit_temperature(
            logits[:, ::2], labels[::2]
        )
    found = {"temperature": temperature}
    for name, divisor in (("", 1.0), ("_tempered", temperature)):
        mean = bbh.uncertainty.class_probabilities(
            logits[:, 1::2] / divisor
        ).mean(axis=0)
        for key, measure_of in (
            ("nll", bbh.uncertainty.negative_log_likelihood),
            ("ece", bbh.uncertainty.expected_calibration_error),
        ):
            found[key + name] = measure_of(mean, labels[1::2])
    return found


def outcomes(probabilities, labels):
    """Returns the confidence of each prediction, and whether it is right."""
    confidences = np.minimum(np.max(probabilities, axis=-1), 1)
    return confidences, np.argmax(probabilities, axis=-1) == labels


def _error_by_chance(place, confidences):
    """Averages the error over labels that come as the confidences say."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(_NUM_SIMULATIONS):
        right = generator.random(len(confidences)) < confidences
        found.append(error(place, confidences, right))
    return float(np.mean(found))

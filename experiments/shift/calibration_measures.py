"""Reliability: bins of equal width or mass, intervals, and what chance does."""

import typing
import warnings

import numpy as np
from scipy import stats

import bbh_tf as bbh
from bbh_tf.uncertainty import binning as bins_of

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


def bins(probabilities, labels, binning):
    """Summarises predictions bin by bin.

    Args:
        probabilities: array `(examples, classes)`.
        labels: integer array `(examples,)`.
        binning: see `bbh_tf.uncertainty.reliability_diagram`.

    Returns:
        `Bins`.
    """
    diagram = bbh.uncertainty.reliability_diagram(
        probabilities, labels, NUM_BINS, binning
    )
    filled = diagram.count > 0
    total, accuracy = diagram.count[filled], diagram.accuracy[filled]
    # Whole numbers, but where an edge parts what is equally confident.
    hits = np.round(accuracy * total, 9)
    # Clopper and Pearson's interval, which never covers less than it says.
    tail = (1 - _COVERAGE) / 2
    some, all_but_some = hits > 0, hits < total
    lower, upper = np.zeros(len(total)), np.ones(len(total))
    lower[some] = stats.beta.ppf(tail, hits[some], (total - hits + 1)[some])
    upper[all_but_some] = stats.beta.ppf(
        1 - tail, (hits + 1)[all_but_some], (total - hits)[all_but_some]
    )
    return Bins(diagram.confidence[filled], accuracy, lower, upper, total)


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
    predicted = np.argmax(probabilities, axis=-1)
    found = {
        "accuracy": float(np.mean(predicted == labels)),
        "confidence": float(np.mean(_confidences(probabilities))),
        "nll": bbh.uncertainty.negative_log_likelihood(probabilities, labels),
        "brier": bbh.uncertainty.brier_score(probabilities, labels),
    }
    for name, binning in (("ece", "width"), ("ece_mass", "mass")):
        found[name] = bbh.uncertainty.expected_calibration_error(
            probabilities, labels, NUM_BINS, binning
        )
        found[f"{name}_by_chance"] = _error_by_chance(probabilities, binning)
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


def _confidences(probabilities):
    return np.minimum(np.max(probabilities, axis=-1), 1)


def _error_by_chance(probabilities, binning):
    """Averages the error over labels that come as the confidences say."""
    generator = np.random.default_rng(0)
    confidences = _confidences(probabilities)
    bins = bins_of.Binning(confidences, NUM_BINS, binning)
    found = [
        bins.error(generator.random(len(confidences)) < confidences)
        for _ in range(_NUM_SIMULATIONS)
    ]
    return float(np.mean(found))

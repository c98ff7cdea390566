"""The temperature under which held-out labels are most probable.

One number divides the logits of every draw, then the draws' probabilities are
averaged: mean_s softmax(logits_s / T). It is fitted on that mean, not draw by
draw, which would leave the mean unsure of what each draw is sure of.

References:
    Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks",
    ICML 2017, arXiv:1706.04599, Sec. 4.2.
    Rahaman, Thiery, "Uncertainty Quantification and Deep Ensembles", NeurIPS
    2021, arXiv:2007.08792 (calibrate the mean, not the members).
"""

import math
import warnings

import keras
import numpy as np

from bbh_tf.postprocessing.temperature import Temperature
from bbh_tf.uncertainty import checks

LOWEST, HIGHEST = 0.02, 50.0
# 1 is one of them.
_NUM_COARSE = 13
_TOLERANCE = 1e-5
_GOLDEN = (math.sqrt(5) - 1) / 2


def fit_temperature(logits, labels):
    """Finds the temperature with the lowest negative log-likelihood.

    Args:
        logits: array-like, `(num_samples, examples, ..., classes)` of draws,
            as `predict_samples` returns them, or `(examples, ..., classes)`
            of one network.
        labels: array-like of integers, `(examples, ...)`, none of which the
            model was trained on.

    Returns:
        float between 0.02 and 50, to 1e-5 of itself. The negative
        log-likelihood of these labels is not higher with it than with 1. It
        warns where one of the two ends is the best: labels that are all
        predicted rightly ask for a temperature of 0.

    Raises:
        ValueError: if the logits are probabilities, are not finite, or have a
            shape that the labels do not fit.

    Example:
    ```python
    # Sure by e^2 : 1, right in three of four: log 3 is what it should be.
    fit_temperature([[2.0, 0.0]] * 4, [0, 0, 0, 1])  # 1.8205
    ```
    """
    logits = _checked(logits, labels)
    found = {}

    def nll(log_temperature):
        if log_temperature not in found:
            found[log_temperature] = _nll(logits / math.exp(log_temperature))
        return found[log_temperature]

    # A mixture's likelihood may have several maxima.
    coarse = np.linspace(math.log(LOWEST), math.log(HIGHEST), _NUM_COARSE)
    coarse[_NUM_COARSE // 2] = 0.0
    best = int(np.argmin([nll(t) for t in coarse.tolist()]))
    _golden_section(
        nll, coarse[max(best - 1, 0)], coarse[min(best + 1, _NUM_COARSE - 1)]
    )
    log_temperature = min(found, key=found.get)
    for end, name in ((coarse[0], "lowest"), (coarse[-1], "highest")):
        if abs(log_temperature - end) < 2 * _TOLERANCE:
            warnings.warn(
                f"The {name} temperature that is tried, {math.exp(end):.3g}, "
                "fits the labels best: too few of them, or none of them (or "
                "all) predicted wrongly.",
                stacklevel=2,
            )
    return math.exp(log_temperature)


def with_temperature(model, x, y, num_samples=None, seed=0, batch_size=None):
    """Fits a model's temperature; what it predicts is tempered from then on.

    A model of this library keeps it as `model.temperature`: `predict`,
    `evaluate`, `predict_uncertainty` and exported programs divide the logits
    by it, and it is saved with the weights. What the network puts out stays
    as it is: `predict_samples` and `draw` know no temperature, and neither
    does training. After more training, fit it again.

    An ordinary Keras model is given a `Temperature` layer at its end.

    Args:
        model: a model with `predict_samples` and a `temperature`
            (`BayesianModel`, `DeepEnsemble`), whose labels are classes; or a
            functional or sequential `keras.Model` with one output, logits.
        x: inputs, as the model's `predict` takes them.
        y: array-like of integers, their labels, `(examples, ...)` or
            `(examples, ..., 1)`; see `fit_temperature`.
        num_samples: number of draws; None for the model's own number.
        seed: seed of the draws; `predict` takes those of 0.
        batch_size: examples in a batch, where `x` holds arrays.

    Returns:
        The model itself, or, of an ordinary Keras model, a new one on the same
        layers, which is not compiled.

    Raises:
        ValueError: if the model's labels are no classes, it has more than one
            output, or its outputs are no logits.

    Example:
    ```python
    model = bbh_tf.postprocessing.with_temperature(model, images, labels)
    probabilities = model.predict(test_images)
    model.save("tempered.keras")
    ```
    """
    if hasattr(model, "predict_samples"):
        if model.temperature is None:
            # The model says why it has none.
            model.temperature = 1.0
        logits = model.predict_samples(
            x, num_samples, seed=seed, batch_size=batch_size
        )
        model.temperature = fit_temperature(logits, _labels(y, logits[0]))
        return model
    num_outputs = len(getattr(model, "outputs", None) or ())
    if num_outputs != 1:
        raise ValueError(
            "Expected a model of this library, or a built functional or "
            "sequential Keras model with one output; got a "
            f"{type(model).__name__} with {num_outputs}."
        )
    logits = model.predict(x, batch_size=batch_size, verbose=0)
    temperature = fit_temperature(logits, _labels(y, logits))
    is_sequential = isinstance(model, keras.Sequential)
    return keras.Model(
        model.inputs[0] if is_sequential else model.input,
        Temperature(temperature)(model.outputs[0]),
        name=model.name,
    )


def _labels(labels, logits):
    """Returns labels without the last axis, of length 1, that Keras lets be."""
    labels = np.asarray(labels)
    if labels.ndim == np.ndim(logits) and labels.shape[-1] == 1:
        return labels[..., 0]
    return labels


def _golden_section(function, low, high):
    """Evaluates a function closer and closer to a minimum between two ends."""
    inner = high - _GOLDEN * (high - low)
    outer = low + _GOLDEN * (high - low)
    while high - low > _TOLERANCE:
        if function(inner) <= function(outer):
            high, outer = outer, inner
            inner = high - _GOLDEN * (high - low)
        else:
            low, inner = inner, outer
            outer = low + _GOLDEN * (high - low)


def _nll(logits):
    """Returns the mean of -log mean_s p_s(true class), nats.

    Args:
        logits: array `(num_samples, examples, classes)`, less those of the
            true classes.
    """
    top = np.maximum(logits.max(axis=-1), 0.0)
    total = np.exp(logits - top[..., None]).sum(axis=-1)
    log_prob = -(top + np.log(total))
    highest = log_prob.max(axis=0)
    mean = np.mean(np.exp(log_prob - highest), axis=0)
    return float(-np.mean(highest + np.log(mean)))


def _checked(logits, labels):
    """Returns `(num_samples, examples, classes)`, less the labels' logits."""
    logits = checks.check_floats(logits, "logits")
    rank = np.ndim(labels)
    if logits.ndim not in (rank + 1, rank + 2) or rank == 0:
        raise ValueError(
            "logits: expected shape (num_samples, examples, ..., classes) or "
            "(examples, ..., classes) for labels (examples, ...); got "
            f"{logits.shape} for {np.shape(labels)}."
        )
    if logits.ndim == rank + 1:
        logits = logits[None]
    labels = checks.check_labels(labels, logits.shape[1:-1], logits.shape[-1])
    sums = logits.sum(axis=-1)
    if logits.min() >= 0 and np.all(
        np.abs(sums - 1) <= checks.ROW_SUM_TOLERANCE
    ):
        raise ValueError(
            "logits: expected outputs without a softmax; got probabilities, "
            "rows that sum to 1. Their logarithm will do."
        )
    true = np.take_along_axis(logits, labels[None, ..., None], axis=-1)
    return (logits - true).reshape(len(logits), -1, logits.shape[-1])

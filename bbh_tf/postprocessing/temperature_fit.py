"""The temperature under which held-out labels are most probable.

One number divides the logits of every draw, then the draws' probabilities are
averaged: mean_s softmax(logits_s / T), or mean_s sigmoid(logits_s / T). It is
fitted on that mean, not draw by draw, which would leave the mean unsure of what
each draw is sure of. An example of several labels (pixels, tags) counts label
by label.

References:
    Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks",
    ICML 2017, arXiv:1706.04599, Sec. 4.2.
    Rahaman, Thiery, "Uncertainty Quantification and Deep Ensembles", NeurIPS
    2021, arXiv:2007.08792 (calibrate the mean, not the members).
"""

import numpy as np

from bbh_tf.postprocessing import search
from bbh_tf.uncertainty import checks

_WHY = "too few of them, or none of them (or all) predicted wrongly"


def fit_temperature(logits, labels, sample_weight=None):
    """Finds the temperature with the lowest negative log-likelihood.

    Args:
        logits: array-like, `(num_samples, examples, ..., classes)` of draws,
            as `predict_samples` returns them, or `(examples, ..., classes)`
            of one network.
        labels: array-like of integers, `(examples, ...)`, none of which the
            model was trained on.
        sample_weight: array-like, `(examples, ...)` or `(examples,)`, what
            labels count, 0 for padding say, where they need be no class; None
            for 1.

    Returns:
        float between 0.02 and 50, to 1e-5 of itself. The negative
        log-likelihood of these labels is not higher with it than with 1. It
        warns where one of the two ends is the best: labels that are all
        predicted rightly ask for a temperature of 0.

    Raises:
        ValueError: if the logits are probabilities, are not finite, are of one
            class, or have a shape that the labels or weights do not fit.

    Example:
    ```python
    # Sure by e^2 : 1, right in three of four: log 3 is what it should be.
    fit_temperature([[2.0, 0.0]] * 4, [0, 0, 0, 1])  # 1.8205
    ```
    """
    labels = search.filled(labels, sample_weight)
    logits, labels = _checked(logits, labels)
    weights = search.check_weights(sample_weight, labels.shape)
    true = np.take_along_axis(logits, labels[None, ..., None], axis=-1)
    return _fit(logits - true, weights)


def fit_binary_temperature(logits, labels, sample_weight=None):
    """Finds the temperature of labels that are 0 or 1; see `fit_temperature`.

    Args:
        logits: array-like, `(num_samples, examples, ...)` of draws, as
            `predict_samples` returns them under `"bernoulli_logits"`, or
            `(examples, ...)` of one network.
        labels: array-like of 0 and 1, `(examples, ...)`, none of which the
            model was trained on.
        sample_weight: as in `fit_temperature`.

    Returns:
        float between 0.02 and 50, to 1e-5 of itself; see there.

    Raises:
        ValueError: if a label is not 0 or 1, the logits are probabilities, are
            not finite, or have a shape that the labels or weights do not fit.

    Example:
    ```python
    fit_binary_temperature([2.0, 2.0, 2.0, -2.0], [1, 1, 0, 0])  # 1.8205
    ```
    """
    labels = search.filled(labels, sample_weight)
    labels = checks.check_floats(labels, "labels")
    wrong = labels[(labels != 0) & (labels != 1)]
    if wrong.size:
        raise ValueError(f"labels: expected 0 or 1, got {wrong[0]:.6g}.")
    logits = check_draws(logits, "logits", labels)
    if logits.min() >= 0 and logits.max() <= 1 and 0 < labels.mean() < 1:
        raise ValueError(
            "logits: expected outputs without a sigmoid, on both sides of 0; "
            f"got numbers from {logits.min():.6g} to {logits.max():.6g}."
        )
    weights = search.check_weights(sample_weight, labels.shape)
    # Two classes, of which the true one's logit is taken off.
    other = logits * np.where(labels == 1, -1.0, 1.0)
    return _fit(np.stack([np.zeros_like(other), other], axis=-1), weights)


def check_draws(values, name, labels):
    """Checks one number for each label, of one network or of draws.

    Args:
        values: array-like, `(num_samples, examples, ...)` or `(examples, ...)`.
        name: str, what the caller calls it.
        labels: array `(examples, ...)`.

    Returns:
        float64 array `(num_samples, examples, ...)`.

    Raises:
        ValueError: if it is not finite, or has another shape.
    """
    values = checks.check_floats(values, name)
    fits = labels.shape in (values.shape, values.shape[1:])
    if labels.ndim == 0 or not fits:
        raise ValueError(
            f"{name}: expected shape (num_samples, examples, ...) or "
            f"(examples, ...) for labels (examples, ...); got {values.shape} "
            f"for {labels.shape}."
        )
    return values if values.ndim == labels.ndim + 1 else values[None]


def _fit(logits, weights):
    """Fits logits `(num_samples, ..., classes)`, less those of the labels."""
    logits = logits.reshape(len(logits), -1, logits.shape[-1])

    def nll(temperature):
        tempered = logits / temperature
        top = np.maximum(tempered.max(axis=-1), 0.0)
        total = np.exp(tempered - top[..., None]).sum(axis=-1)
        return search.mean_nll(-(top + np.log(total)), weights)

    return search.best(nll, "temperature", _WHY)


def _checked(logits, labels):
    """Returns `(num_samples, examples, ..., classes)`, and the labels."""
    if np.shape(logits)[-1:] == (1,):
        raise ValueError(
            "logits: expected two classes or more along the last axis, got 1; "
            "a single logit of labels that are 0 or 1 is for "
            "fit_binary_temperature, or with_temperature(..., "
            'likelihood="bernoulli_logits").'
        )
    logits = checks.check_logits(logits)
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
    return logits, labels

"""Scores by which outliers are told, all of them from draws of logits.

Higher is further out for each, as `auroc` and its like take them.

References:
    Hendrycks, Gimpel, "A Baseline for Detecting Misclassified and
    Out-of-Distribution Examples in Neural Networks", ICLR 2017,
    arXiv:1610.02136 (the highest probability).
    Liu, Wang, Owens, Li, "Energy-based Out-of-distribution Detection", NeurIPS
    2020, arXiv:2010.03759, equation 4 (the energy).
    Gal, "Uncertainty in Deep Learning", PhD thesis, University of Cambridge,
    2016, Sec. 3.3.1 (the variation ratio).
"""

import numpy as np

from bbh_tf.uncertainty import detection
from bbh_tf.uncertainty import entropy
from bbh_tf.uncertainty.checks import check_logits
from bbh_tf.uncertainty.checks import check_samples


def energy(logits):
    """The free energy of each row of logits, `-log sum_k exp(logit_k)`.

    It sees what a softmax takes away: how large logits are as a whole.

    Args:
        logits: array-like, `(..., classes)`.

    Returns:
        float64 array `(...)`, in nats; low where a logit is high.

    Raises:
        ValueError: if the input is empty, not finite, no numbers, of one class
            or of probabilities.

    Example:
    ```python
    energy([[0.0, 0.0], [3.0, 0.0]])  # [-0.6931, -3.0486]
    ```
    """
    logits = check_logits(logits)
    top = logits.max(axis=-1)
    return -(top + np.log(np.exp(logits - top[..., None]).sum(axis=-1)))


def variation_ratio(sample_probabilities):
    """The share of draws whose most probable class is not the most common.

    A tie within a draw goes to the class of the lowest number.

    Args:
        sample_probabilities: array-like, `(num_samples, examples, ...,
            classes)`.

    Returns:
        float64 array `(examples, ...)`, in [0, 1).

    Raises:
        ValueError: if the rank is less than 3, the input is empty or not
            finite, or its rows are no probability distributions.

    Example:
    ```python
    variation_ratio([[[0.9, 0.1]], [[0.6, 0.4]], [[0.2, 0.8]]])  # [0.3333]
    ```
    """
    samples = check_samples(sample_probabilities)
    votes = np.argmax(samples, axis=-1)
    commonest = np.max(
        [np.sum(votes == k, axis=0) for k in range(samples.shape[-1])], axis=0
    )
    return 1.0 - commonest / len(samples)


def outlier_scores(logits):
    """Computes all outlier scores that draws of logits allow.

    Args:
        logits: array-like, `(num_samples, examples, ..., classes)`, as
            `predict_samples` returns them, or `(examples, classes)` of one
            network.

    Returns:
        Dictionary of float64 arrays `(examples, ...)`, higher further out:
        `"max_probability"`, one minus the highest mean probability;
        `"entropy"` of the mean, nats; `"energy"`, mean over the draws, nats;
        and, of two draws or more, `"mutual_information"`, nats, and
        `"variation_ratio"`.

    Raises:
        ValueError: if the rank is less than 2, the input is empty, not finite,
            of one class or of probabilities.
    """
    logits = check_logits(logits)
    if logits.ndim < 2:
        raise ValueError(
            "logits: expected shape (num_samples, examples, ..., classes) or "
            f"(examples, classes), got {logits.shape}."
        )
    if logits.ndim == 2:
        logits = logits[None]
    probabilities = entropy.class_probabilities(logits)
    mean = probabilities.mean(axis=0)
    found = {
        "max_probability": 1.0 - mean.max(axis=-1),
        "entropy": entropy.predictive_entropy(mean),
        "energy": energy(logits).mean(axis=0),
    }
    if len(logits) > 1:
        found["mutual_information"] = entropy.mutual_information(probabilities)
        found["variation_ratio"] = variation_ratio(probabilities)
    return found


def evaluate_outliers(in_logits, out_logits):
    """Measures how well each score detects outliers.

    Args:
        in_logits: array-like of examples as trained on; see `outlier_scores`.
        out_logits: array-like of outliers, likewise.

    Returns:
        Dictionary from the names of `outlier_scores` to dictionaries of
        `"auroc"`, `"aupr"` (outliers positive) and `"fpr95"`.

    Raises:
        ValueError: as `outlier_scores` does, or if the two have not as many
            draws (what draws disagree about depends on how many there are) and
            classes.
        ImportError: if scikit-learn is not installed.

    Example:
    ```python
    found = evaluate_outliers([[3.0, 0.0], [0.0, 2.0]], [[0.1, 0.0]])
    found["entropy"]["auroc"]  # 1.0
    ```
    """
    inside, outside = outlier_scores(in_logits), outlier_scores(out_logits)
    shapes = np.shape(in_logits), np.shape(out_logits)
    # Draws come first, where there are any, and classes last.
    if len({(s[-1], len(s) > 2 and s[0]) for s in shapes}) > 1:
        raise ValueError(
            "out_logits: expected as many draws and classes as in_logits has; "
            f"got shapes {shapes[1]} and {shapes[0]}."
        )
    return {
        name: {
            measure.__name__: measure(
                inside[name].ravel(), outside[name].ravel()
            )
            for measure in (detection.auroc, detection.aupr, detection.fpr95)
        }
        for name in inside
    }

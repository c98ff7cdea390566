"""How well a score tells outliers from the data trained on.

Out-of-distribution is the positive class and a higher score means further
out: predictive entropy, mutual information or one minus the highest
probability may be passed as they are.

References:
    Hendrycks, Gimpel, "A Baseline for Detecting Misclassified and
    Out-of-Distribution Examples in Neural Networks", ICLR 2017,
    arXiv:1610.02136.
"""

import numpy as np

from bbh_tf.uncertainty.checks import check_vector

_POSITIVES = ("out", "in")
_TRUE_POSITIVE_RATE = 0.95


def _sklearn_metrics():
    try:
        import sklearn.metrics
    except ImportError as error:
        raise ImportError(
            f"Detection scores need scikit-learn ({error}): "
            f"pip install bbh_tf[experiments]"
        ) from error
    return sklearn.metrics


def _stack(in_scores, out_scores):
    in_scores = check_vector(in_scores, "in_scores")
    out_scores = check_vector(out_scores, "out_scores")
    is_out = np.repeat([0, 1], [len(in_scores), len(out_scores)])
    return is_out, np.concatenate([in_scores, out_scores])


def auroc(in_scores, out_scores):
    """Area under the ROC curve.

    The probability that an outlier scores higher than an inlier, a tie
    counting one half.

    Args:
        in_scores: array-like, `(examples,)`, of in-distribution examples.
        out_scores: array-like, `(outliers,)`, of outliers.

    Returns:
        float in `[0, 1]`; 1 is a perfect split, 0.5 is chance.

    Raises:
        ValueError: if a set of scores has a wrong rank, is empty or is not
            finite.
        ImportError: if scikit-learn is not installed.

    Example:
    ```python
    auroc(in_scores=[0.1, 0.4], out_scores=[0.3, 0.8])  # 0.75
    ```
    """
    is_out, scores = _stack(in_scores, out_scores)
    return float(_sklearn_metrics().roc_auc_score(is_out, scores))


def aupr(in_scores, out_scores, positive="out"):
    """Area under the precision-recall curve, as average precision.

    Chance level is the share of the positive class, so the figure depends
    on the sizes of the two sets.

    Args:
        in_scores: array-like, `(examples,)`, of in-distribution examples.
        out_scores: array-like, `(outliers,)`, of outliers.
        positive: `"out"` or `"in"`, which set counts as positive. Scores
            mean the same either way (higher is further out); for `"in"`
            the sign is turned inside.

    Returns:
        float in `[0, 1]`.

    Raises:
        ValueError: if a set of scores has a wrong rank, is empty or is not
            finite, or if `positive` is unknown.
        ImportError: if scikit-learn is not installed.
    """
    if positive not in _POSITIVES:
        raise ValueError(
            f"positive: expected one of {', '.join(_POSITIVES)}, "
            f"got {positive!r}."
        )
    is_out, scores = _stack(in_scores, out_scores)
    average_precision = _sklearn_metrics().average_precision_score
    if positive == "in":
        return float(average_precision(1 - is_out, -scores))
    return float(average_precision(is_out, scores))


def fpr95(in_scores, out_scores):
    """Share of inliers flagged where 95 % of the outliers are caught.

    An example is flagged where its score is at or above the threshold; the
    threshold is the highest one that flags at least 95 % of the outliers.
    Nothing is interpolated between thresholds.

    Args:
        in_scores: array-like, `(examples,)`, of in-distribution examples.
        out_scores: array-like, `(outliers,)`, of outliers.

    Returns:
        float in `[0, 1]`; lower is better.

    Raises:
        ValueError: if a set of scores has a wrong rank, is empty or is not
            finite.
        ImportError: if scikit-learn is not installed.
    """
    is_out, scores = _stack(in_scores, out_scores)
    # Every threshold is kept: dropping those on a straight stretch of the
    # curve could drop the first one that reaches 95 %.
    false_positive_rate, true_positive_rate, _ = _sklearn_metrics().roc_curve(
        is_out, scores, drop_intermediate=False
    )
    first = int(np.argmax(true_positive_rate >= _TRUE_POSITIVE_RATE))
    return float(false_positive_rate[first])

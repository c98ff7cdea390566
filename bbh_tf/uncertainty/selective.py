"""How much is lost where a model may decline to answer what it is unsure of.

Examples are accepted in the order of their scores, the least uncertain first.
After `k` of `n`, with `S(k)` the sum of their losses,

    coverage = k / n,   risk = S(k) / k,   generalised risk = S(k) / n.

Examples of one score have no order among them: what is said is the mean over
all orders that they could come in.

References:
    Geifman, El-Yaniv, "Selective Classification for Deep Neural Networks",
    NeurIPS 2017, arXiv:1705.08500 (risk and coverage).
    Geifman, Uziel, El-Yaniv, "Bias-Reduced Uncertainty Estimation for Deep
    Neural Classifiers", ICLR 2019, arXiv:1805.08206 (AURC).
    Traub et al., "Overcoming Common Flaws in the Evaluation of Selective
    Classification Systems", NeurIPS 2024, arXiv:2407.01032 (AUGRC).
"""

import dataclasses
import math

import numpy as np

from bbh_tf import checks
from bbh_tf.uncertainty import ties
from bbh_tf.uncertainty.checks import check_vector

# Of 100 * 0.07, say, which is 7 and a bit.
_ROUND_OFF = 1e-9


@dataclasses.dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Risk against coverage, example by example.

    Attributes:
        coverage: float64 array `(examples,)`, share of examples accepted,
            from `1 / examples` to 1.
        risk: float64 array `(examples,)`, mean loss of those accepted.
        generalized_risk: float64 array `(examples,)`, their losses' sum over
            the number of all examples.
    """

    coverage: np.ndarray
    risk: np.ndarray
    generalized_risk: np.ndarray


def risk_coverage(losses, scores):
    """Returns risk and generalised risk at each coverage.

    Args:
        losses: array-like, `(examples,)`, what a prediction costs: whether it
            is wrong, or a squared error.
        scores: array-like, `(examples,)`, higher is less sure: one less the
            highest probability, an entropy, a standard deviation.

    Returns:
        A `RiskCoverage`.

    Raises:
        ValueError: if the shapes do not match, there are no examples, or
            one is not finite.
    """
    losses, scores = _checked(losses, scores)
    order = np.argsort(scores, kind="stable")
    total = np.cumsum(ties.averaged(losses, scores)[order])
    accepted = np.arange(1, len(losses) + 1)
    return RiskCoverage(
        coverage=accepted / len(losses),
        risk=total / accepted,
        generalized_risk=total / len(losses),
    )


def aurc(losses, scores):
    """Area under the curve of risk against coverage: its mean over `k`.

    Low where the model is seldom wrong, and unsure where it is. It weighs the
    losses of the surest examples most: the very first counts in all `n` terms,
    as 1, 1/2, 1/3, ...; `augrc` does not.

    Args:
        losses: array-like, `(examples,)`; see `risk_coverage`.
        scores: array-like, `(examples,)`, higher is less sure.

    Returns:
        float, in units of the losses; lower is better.

    Raises:
        ValueError: as `risk_coverage` does.

    Example:
    ```python
    aurc(losses=[0, 1, 0], scores=[0.1, 0.2, 0.3])  # 0.2778
    ```
    """
    return float(np.mean(risk_coverage(losses, scores).risk))


def augrc(losses, scores):
    """Area under the curve of generalised risk against coverage.

    The curve starts at 0 for no coverage and is linear between examples. For
    losses that are 0 or 1, of mean `e`, and `A` the AUROC with which the
    scores tell wrong from right ones, it is

        (1 - A) * e * (1 - e) + e**2 / 2.

    Args:
        losses: array-like, `(examples,)`; see `risk_coverage`.
        scores: array-like, `(examples,)`, higher is less sure.

    Returns:
        float, in units of the losses; lower is better.

    Raises:
        ValueError: as `risk_coverage` does.

    Example:
    ```python
    augrc(losses=[0, 1, 0], scores=[0.1, 0.2, 0.3])  # 0.1667
    ```
    """
    risk = risk_coverage(losses, scores).generalized_risk
    return float((np.sum(risk) - 0.5 * risk[-1]) / len(risk))


def risk_at_coverage(losses, scores, coverage):
    """Mean loss of the surest examples.

    Args:
        losses: array-like, `(examples,)`; see `risk_coverage`.
        scores: array-like, `(examples,)`, higher is less sure.
        coverage: share of the examples that is accepted, above 0 and at most
            1; rounded up to a number of examples.

    Returns:
        float, in units of the losses.

    Raises:
        ValueError: if the coverage is out of range, or as `risk_coverage` does.

    Example:
    ```python
    risk_at_coverage([0, 1, 0], [0.1, 0.2, 0.3], coverage=0.5)  # 0.5
    ```
    """
    if not checks.is_number(coverage) or not 0 < coverage <= 1:
        raise ValueError(
            "coverage: expected a share above 0 and at most 1, got "
            f"{coverage!r}."
        )
    risk = risk_coverage(losses, scores).risk
    count = math.ceil(coverage * len(risk) - _ROUND_OFF)
    return float(risk[max(count, 1) - 1])


def _checked(losses, scores):
    losses = check_vector(losses, "losses")
    scores = check_vector(scores, "scores")
    if len(losses) != len(scores):
        raise ValueError(
            f"scores: expected {len(losses)}, one for each loss, got "
            f"{len(scores)}."
        )
    return losses, scores

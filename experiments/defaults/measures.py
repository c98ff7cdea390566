"""Error, likelihood and what uncertainty tells, for classes and numbers."""

import math

import numpy as np

from experiments import lazy

bbh = lazy.import_module("bbh_tf")
evaluation = lazy.import_module("experiments.evaluation")

# Probability that an interval is to hold.
LEVEL = 0.9
# Draws from the mixture that its quantiles are found from, for each of its
# parts.
_QUANTILE_DRAWS = 200


def of(problem, draws, outlier_draws):
    """Measures a prediction.

    Args:
        problem: a `problems.Problem`.
        draws: the network's outputs for the test part, `(num_samples,
            examples, num_outputs)`.
        outlier_draws: those for the outliers, or None.

    Returns:
        Dictionary. `"error"`: per cent of classes that are wrong, or the root
        mean square error of numbers, in their training part's standard
        deviations; `"nll"`, nats per example, of the mean over draws; for
        classes, `"auroc"`: how well the predictive entropy tells outliers, or,
        where there are none, None, and `"entropies"` and `"wrong"`, lists over
        the test part, from which `misclassification` makes it of several
        splits; for numbers `"coverage"`, the per cent of labels within the
        intervals that are to hold `LEVEL` of them.
    """
    labels = problem.test[1]
    if problem.num_classes is None:
        return _of_numbers(draws.astype(np.float64), labels)
    test = evaluation.predictive(draws)
    u = bbh.uncertainty
    found = {
        "error": 100 * u.error_rate(test["probabilities"], labels),
        "nll": u.negative_log_likelihood(test["probabilities"], labels),
        "auroc": None,
    }
    if outlier_draws is not None:
        outliers = evaluation.predictive(outlier_draws)
        found["auroc"] = u.auroc(test["entropy"], outliers["entropy"])
    else:
        found["entropies"] = np.round(test["entropy"], 5).tolist()
        wrong = test["probabilities"].argmax(1) != labels
        found["wrong"] = wrong.astype(int).tolist()
    return found


def misclassification(found):
    """Computes how well entropy tells mistakes, over splits.

    Args:
        found: list of what `of` returns, for classes without outliers.

    Returns:
        The area under the ROC curve, or None where there is no mistake.
    """
    wrong = np.concatenate([np.array(one["wrong"], bool) for one in found])
    entropies = np.concatenate([one["entropies"] for one in found])
    if wrong.all() or not wrong.any():
        return None
    return bbh.uncertainty.auroc(entropies[~wrong], entropies[wrong])


def _of_numbers(draws, labels):
    means, raw = draws[..., 0], draws[..., 1]
    # As `likelihoods.normal_learned_scale` has it.
    stds = np.logaddexp(0.0, raw) + 1e-6
    log_probs = (
        -0.5 * ((labels - means) / stds) ** 2
        - np.log(stds)
        - 0.5 * math.log(2 * math.pi)
    )
    log_mixture = np.logaddexp.reduce(log_probs, axis=0) - math.log(len(draws))
    noise = np.random.default_rng(0).normal(
        size=(_QUANTILE_DRAWS, *means.shape)
    )
    values = (means + stds * noise).reshape(-1, len(labels))
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    held = (low <= labels) & (labels <= high)
    return {
        "error": float(np.sqrt(np.mean((means.mean(axis=0) - labels) ** 2))),
        "nll": -float(np.mean(log_mixture)),
        "auroc": None,
        "coverage": 100 * float(np.mean(held)),
    }

"""From predictions to the columns of the tables."""

import numpy as np

import bbh_tf as bbh

# Nats: above the round-off of float64, below that of float32 logits.
_LEAST_INFORMATION = 1e-12


def predictive(logits):
    """Summarises the draws of a prediction.

    Args:
        logits: array `(num_samples, examples, classes)`.

    Returns:
        Dictionary of `float64` arrays: `"probabilities"` `(examples,
        classes)`, `"entropy"` and `"mutual_information"` `(examples,)`, nats.
    """
    probabilities = bbh.uncertainty.class_probabilities(logits)
    mean = probabilities.mean(axis=0)
    return {
        "probabilities": mean,
        "entropy": bbh.uncertainty.predictive_entropy(mean),
        "mutual_information": bbh.uncertainty.mutual_information(probabilities),
    }


def predictive_of_means(probabilities, expected_entropy):
    """Summarises draws of which only the means are there.

    Args:
        probabilities: `float64` array `(examples, classes)`, means over the
            draws.
        expected_entropy: `float64` array `(examples,)`, the mean of the draws'
            entropies, nats.

    Returns:
        What `predictive` makes of the draws, but for rounding.
    """
    entropy = bbh.uncertainty.predictive_entropy(probabilities)
    information = entropy - expected_entropy
    return {
        "probabilities": probabilities,
        "entropy": entropy,
        # Of one draw, or equal ones, it is 0, and not what rounding leaves:
        # outliers are told by it.
        "mutual_information": np.where(
            information > _LEAST_INFORMATION, information, 0.0
        ),
    }


def measures(test, labels, outliers, num_classes):
    """Computes the numbers of a table's row.

    Args:
        test: `predictive` of the test set.
        labels: its labels.
        outliers: `predictive` of the outliers.
        num_classes: number of classes.

    Returns:
        Dictionary of floats. Areas are normalised by the maximum entropy;
        nll in nats per example; auroc and its like take the outliers as
        positive and the predictive entropy as score; aurc and augrc are of
        errors on the test set, the surest first by the highest probability.
    """
    u = bbh.uncertainty
    inside, outside = test["entropy"], outliers["entropy"]
    wrong = np.argmax(test["probabilities"], axis=-1) != labels
    doubt = 1 - np.max(test["probabilities"], axis=-1)
    return {
        "error_percent": 100 * u.error_rate(test["probabilities"], labels),
        "in_auc": u.entropy_auc(inside, num_classes),
        "outlier_auc": u.entropy_auc(outside, num_classes),
        "nll": u.negative_log_likelihood(test["probabilities"], labels),
        "brier": u.brier_score(test["probabilities"], labels),
        "ece": u.expected_calibration_error(test["probabilities"], labels),
        "aurc_per_mille": 1000 * u.aurc(wrong, doubt),
        "augrc_per_mille": 1000 * u.augrc(wrong, doubt),
        "auroc": u.auroc(inside, outside),
        "aupr": u.aupr(inside, outside),
        "fpr95": u.fpr95(inside, outside),
        "auroc_mutual_information": u.auroc(
            test["mutual_information"], outliers["mutual_information"]
        ),
    }

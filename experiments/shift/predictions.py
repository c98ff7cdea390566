"""What a trained run predicts of turned and mixed images, and how reliably."""

import numpy as np

import bbh_tf as bbh
from experiments import building
from experiments import evaluation
from experiments.shift import calibration_measures
from experiments.shift import images as shift_images

# Between these quantiles of the draws is what a figure calls their spread.
SPREAD = (0.1, 0.9)


def analyse(model, series, turned, labels, test_images, test_labels):
    """Predicts everything in one pass over the draws.

    Args:
        model: a trained model of `experiments.methods`.
        series: list of `shift_images.Series`.
        turned: for each of `shift_images.ANGLES`, `float32` array
            `(examples, height, width, 1)`.
        labels: classes of these examples.
        test_images: `float32` array `(examples, height, width, 1)`.
        test_labels: their classes.

    Returns:
        Dictionary for JSON: `"num_draws"`; `"series"`, for each its `"name"`
        and, step by step, `"probabilities"` (mean over draws), `"lower"` and
        `"upper"` (their quantiles over draws), `"entropy"` and
        `"mutual_information"`, nats; `"turned"`, for each angle `"accuracy"`,
        `"nll"`, `"entropy"` and `"mutual_information"`, means over examples;
        `"calibration"`, see `calibration_measures.measure`; `"temperature"`,
        see `calibration_measures.tempered`; and `"bins"`, the fields of its
        `Bins` of equal `"width"` and equal `"mass"`.
    """
    parts = [*(one.images for one in series), *turned, test_images]
    # Draws are made once for all images, which are one block to the model.
    logits = building.predict_samples(model, np.concatenate(parts))
    ends = np.cumsum([len(part) for part in parts])[:-1]
    logits = np.split(logits, ends, axis=1)
    count = len(series)
    test = evaluation.predictive(logits[-1])["probabilities"]
    return {
        "num_draws": len(logits[0]),
        "series": [
            {"name": one.name, **_steps(part)}
            for one, part in zip(series, logits[:count])
        ],
        "turned": [
            {"angle": angle, **_averages(part, labels)}
            for angle, part in zip(shift_images.ANGLES, logits[count:-1])
        ],
        "calibration": calibration_measures.measure(test, test_labels),
        "temperature": calibration_measures.tempered(logits[-1], test_labels),
        "bins": _bins(test, test_labels),
    }


def _steps(logits):
    each = bbh.uncertainty.class_probabilities(logits)
    lower, upper = np.quantile(each, SPREAD, axis=0)
    found = {
        **evaluation.predictive(logits),
        "lower": lower,
        "upper": upper,
    }
    return {key: value.tolist() for key, value in found.items()}


def _averages(logits, labels):
    found = evaluation.predictive(logits)
    probabilities = found.pop("probabilities")
    return {
        "accuracy": 1 - bbh.uncertainty.error_rate(probabilities, labels),
        "nll": bbh.uncertainty.negative_log_likelihood(probabilities, labels),
        **{key: float(np.mean(value)) for key, value in found.items()},
    }


def _bins(probabilities, labels):
    found = {}
    for name in ("width", "mass"):
        bins = calibration_measures.bins(probabilities, labels, name)
        found[name] = {k: v.tolist() for k, v in bins._asdict().items()}
    return found

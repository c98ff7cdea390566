"""Accuracy and entropy of a trained run under the fast gradient sign method."""

import numpy as np

import bbh_tf as bbh
from experiments import building
from experiments import evaluation

# Mode of each attack, and whether it stays within the pixels' range. The
# authors' does not; the honest attack does, and without that tells what the
# range does.
ATTACKS = {
    "paper": ("paper", False),
    "expected_gradient": ("expected_gradient", True),
    "expected_gradient_unclipped": ("expected_gradient", False),
}


def curves(model, images, labels, limits, epsilons, num_classes, num_samples):
    """Attacks a model in the ways of `ATTACKS`.

    Args:
        model: a trained model of `building.build`.
        images: inputs of the model, `float32` array `(examples, height,
            width, channels)`.
        labels: their classes.
        limits: the range of their pixels, see `inputs.limits`.
        epsilons: how far each pixel moves, a list.
        num_classes: number of classes.
        num_samples: draws that the attack sees. The predictions average the
            model's own number, of other draws.

    Returns:
        Dictionary from attack to a list of dictionaries, one for each epsilon:
        `"epsilon"`, `"accuracy"` of the averaged prediction, from 0 to 1,
        `"entropy"`, its mean entropy over the maximum entropy, and
        `"entropy_auc"`.
    """
    # The direction is the same for every epsilon, and most of the work.
    directions = {
        mode: bbh.attacks.fgsm_direction(
            _networks(model, num_samples), images, labels, mode
        )
        for mode in bbh.attacks.MODES
    }
    lines = {}
    for attack, (mode, clips) in ATTACKS.items():
        lines[attack] = []
        for epsilon in epsilons:
            moved = images + np.float32(epsilon) * directions[mode]
            if clips:
                moved = np.clip(moved, *limits)
            saw = evaluation.predictive(building.predict_samples(model, moved))
            error = bbh.uncertainty.error_rate(saw["probabilities"], labels)
            entropy = saw["entropy"]
            lines[attack].append(
                {
                    "epsilon": float(epsilon),
                    "accuracy": 1 - error,
                    "entropy": float(np.mean(entropy) / np.log(num_classes)),
                    "entropy_auc": bbh.uncertainty.entropy_auc(
                        entropy, num_classes
                    ),
                }
            )
    return lines


def _networks(model, num_samples):
    if hasattr(model, "members"):
        num_samples = None
    # Predictions have seed 0: the attack is not to know their draws.
    return model.networks(num_samples, seed=1)

"""Accuracy and scores under the fast gradient sign method (Figure 5)."""

import dataclasses

import numpy as np

import bbh_tf as bbh
from experiments.bhn import classifier
from experiments.bhn import scores as scores_of
from experiments.bhn import training

# Attack -> draws of the weights that its gradient is taken under; None for as
# many as predict.
ATTACKS = {"one_draw": 1, "average": None}
# Predictions have seed 0: the attack is not to know their draws.
_ATTACK_SEED = 1


@dataclasses.dataclass(frozen=True)
class Settings(classifier.Settings):
    """What determines a trial, besides method and seed.

    Attributes:
        epsilons: how far each pixel moves, a tuple.
    """

    epsilons: tuple = ()


def maker(method, settings, data):
    """Returns the `training.Maker` of a method's trials."""
    return classifier.maker(method, settings.recipe(), settings, data)


def trial(made, method, settings, data, seed):
    """Trains once, and attacks the test images.

    Under the preset `"paper"` moved pixels stay from 0 to 1; the authors'
    code sets no limit.

    Args:
        made: what `maker` returned.
        method: its `methods.Method`.
        settings: a `Settings`.
        data: an `image_sets.Parts`.
        seed: an integer.

    Returns:
        Dictionary from the keys of `ATTACKS` to a list of what `measures`
        returns, with `"epsilon"`: 0, then each of the settings'.
    """
    model = made.fresh(data.train_images, seed)
    training.fit(
        model, settings.recipe(), data.train_images, data.train_labels, seed
    )
    is_fixed = method.name == "mle"
    images, labels = data.test_images, data.test_labels

    def predicted(moved):
        return training.draws(model, moved, settings.num_draws, is_fixed)

    clean = predicted(images)
    found = {}
    for attack, count in ATTACKS.items():
        count = 1 if is_fixed else count or settings.num_draws
        direction = bbh.attacks.fgsm_direction(
            model.networks(count, seed=_ATTACK_SEED),
            images,
            labels,
            batch_size=1000,
        )
        found[attack] = [{"epsilon": 0.0, **measures(clean, clean, labels)}]
        for epsilon in settings.epsilons:
            moved = images + np.float32(epsilon) * direction
            if settings.preset == "paper":
                moved = np.clip(moved, 0, 1)
            found[attack].append(
                {
                    "epsilon": epsilon,
                    **measures(clean, predicted(moved), labels),
                }
            )
    return found


def measures(clean, moved, labels):
    """Measures predictions of moved images against those of clean ones.

    Args:
        clean: probabilities `(draws, examples, classes)`.
        moved: likewise, of the same images moved.
        labels: their classes.

    Returns:
        A dictionary: `"accuracy"`, from 0 to 1; and dictionaries from score
        to numbers: `"scores"`, the mean score of moved images;
        `"adversaries"`, the AUROC that tells moved images from clean;
        `"errors"`, that which tells wrong answers from right ones among moved
        images, None where all are one or the other.
    """
    wrong = moved.mean(axis=0).argmax(axis=1) != labels
    of_clean, of_moved = scores_of.of(clean), scores_of.of(moved)
    auroc = bbh.uncertainty.auroc
    return {
        "accuracy": 1 - float(np.mean(wrong)),
        "scores": {name: float(np.mean(x)) for name, x in of_moved.items()},
        "adversaries": {
            name: auroc(of_clean[name], of_moved[name]) for name in of_moved
        },
        "errors": {
            name: auroc(values[~wrong], values[wrong])
            for name, values in of_moved.items()
        }
        if 0 < wrong.sum() < len(wrong)
        else None,
    }

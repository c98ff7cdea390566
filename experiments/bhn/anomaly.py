"""How well scores tell errors from right answers, and outliers from digits."""

import dataclasses

import numpy as np

import bbh_tf as bbh
from experiments.bhn import classifier
from experiments.bhn import scores as scores_of
from experiments.bhn import training
from experiments.errors import ExperimentError


@dataclasses.dataclass(frozen=True)
class Settings(classifier.Settings):
    """What determines a trial, besides method and seed.

    Attributes:
        excluded_class: class that is not trained on, whose test images are a
            set of outliers; None for none.
        outliers: names of the sets of outliers, a tuple.
    """

    excluded_class: int | None = None
    outliers: tuple = ()


def without(data, excluded):
    """Takes a class out of training, validation and test.

    Args:
        data: an `image_sets.Parts`.
        excluded: a class, or None.

    Returns:
        `(data, images)`: the others, and the test images of that class, or
        None.

    Raises:
        ExperimentError: if no test image is of the class, or no image of a
            part is of another.
    """
    if excluded is None:
        return data, None
    changes = {}
    for part in ("train", "validation", "test"):
        labels = getattr(data, f"{part}_labels")
        kept = labels != excluded
        changes[f"{part}_labels"] = labels[kept]
        changes[f"{part}_images"] = getattr(data, f"{part}_images")[kept]
    images = data.test_images[data.test_labels == excluded]
    if not len(images) or not all(map(len, changes.values())):
        raise ExperimentError(
            f"--excluded_class: expected test images of class {excluded}, and "
            "others in each part; there are too few images for that."
        )
    return data._replace(**changes), images


def maker(method, settings, data):
    """Returns the `training.Maker` of a method's trials."""
    recipe = settings.recipe(quiet_noise=settings.preset == "released_code")
    return classifier.maker(method, recipe, settings, data)


def trial(made, method, settings, data, outliers, seed):
    """Trains once, and scores the test images and all outliers.

    Args:
        made: what `maker` returned.
        method: its `methods.Method`.
        settings: a `Settings`.
        data: an `image_sets.Parts`.
        outliers: dictionary from names to images.
        seed: an integer.

    Returns:
        A dictionary: `"error"`, in per cent; `"errors"`, from score to
        `measures`, of right answers against wrong, or None where there is no
        wrong one; `"outliers"`, from set to score to `measures`.
    """
    model = made.fresh(data.train_images, seed)
    training.fit(
        model, settings.recipe(), data.train_images, data.train_labels, seed
    )
    is_fixed = method.name == "mle"

    def scored(images):
        draws = training.draws(model, images, settings.num_draws, is_fixed)
        found = scores_of.of(draws)
        if settings.preset == "released_code":
            # The authors turn the sign of the other three only.
            found["max_entropy"] = -found["max_entropy"]
        return draws, found

    draws, inside = scored(data.test_images)
    wrong = draws.mean(axis=0).argmax(axis=1) != data.test_labels
    return {
        "error": 100 * float(np.mean(wrong)),
        "errors": measures(
            {name: values[~wrong] for name, values in inside.items()},
            {name: values[wrong] for name, values in inside.items()},
        ),
        "outliers": {
            name: measures(inside, scored(images)[1])
            for name, images in outliers.items()
        },
    }


def measures(inside, outside):
    """Measures how well each score tells two groups apart.

    Args:
        inside: dictionary from score to values that are to be low.
        outside: likewise, that are to be high.

    Returns:
        Dictionary from score to `"auroc"`, `"aupr_in"` and `"aupr_out"`, with
        either group as the positive one; None where a group is empty.
    """
    if not all(len(x) for x in (*inside.values(), *outside.values())):
        return None
    return {
        name: {
            "auroc": bbh.uncertainty.auroc(inside[name], outside[name]),
            "aupr_in": bbh.uncertainty.aupr(inside[name], outside[name], "in"),
            "aupr_out": bbh.uncertainty.aupr(inside[name], outside[name]),
        }
        for name in inside
    }

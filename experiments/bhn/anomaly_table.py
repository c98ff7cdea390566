"""Detection of errors and outliers as tables."""

import numpy as np

from experiments.bhn import scores as scores_of
from experiments.bhn import trials
from experiments.reporting import tables

AUROC = (
    "AUROC: how well a score tells wrong answers from right ones, and each set "
    "of outliers from the test images (0.5 is chance), mean ± standard "
    "deviation over the trials."
)
AUPR = (
    "AUPR, mean over the trials: right answers or test images as the positive "
    "class / wrong answers or outliers. Chance is the share of that class."
)
ERRORS = "errors"


def auroc(found):
    """Returns heading and rows of texts, by method and score.

    Args:
        found: what `trials.Trials.found` returns.
    """

    def cell(values):
        return tables.format_mean([x["auroc"] for x in values], 3)

    return _table(found, cell)


def aupr(found):
    """Returns heading and rows of texts, by method and score."""

    def cell(values):
        sides = [
            f"{np.mean([x[key] for x in values]):.3f}"
            for key in ("aupr_in", "aupr_out")
        ]
        return " / ".join(sides)

    return _table(found, cell)


def columns(found):
    """Returns the names of what is detected: errors, then sets."""
    return [ERRORS, *found[0]["measures"]["outliers"]]


def values(group, column, score):
    """Returns the measures of a group of trials that have them."""
    measures = [one["measures"] for one in group]
    if column == ERRORS:
        return [x["errors"][score] for x in measures if x["errors"]]
    return [x["outliers"][column][score] for x in measures]


def _table(found, cell):
    names = columns(found)
    lines = [["", "score", "trials", "test error %", *names]]
    for method, group in trials.by_method(found):
        error = tables.format_mean(
            [one["measures"]["error"] for one in group], 2
        )
        for score, title in scores_of.SCORES.items():
            parts = [values(group, name, score) for name in names]
            lines.append(
                [
                    method.title,
                    title,
                    str(len(group)),
                    error,
                    *(cell(part) if part else "–" for part in parts),
                ]
            )
    return lines


def notes(settings, found):
    """Says what was trained and scored, a list of sentences."""
    lines = [settings.described(), *trials.own_settings(found)]
    if settings.excluded_class is not None:
        lines.append(
            f"Class {settings.excluded_class} was not trained on; its test "
            "images are outliers."
        )
    if settings.preset == "released_code":
        lines.append(
            "Scales of the sets as in the authors' code, the hypernetworks' "
            "noise a hundredth as wide, and a maximum entropy whose sign is "
            "not turned."
        )
    if any(one["trial"]["method"] == "mle" for one in found):
        lines.append(
            "Without dropout or hypernetwork all draws agree: BALD and mean "
            "STD are 0 for every image, and their AUROC 0.5."
        )
    return [*lines, *trials.origins(found)]

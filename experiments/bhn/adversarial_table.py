"""The numbers of Figure 5 at some steps, as a table."""

import numpy as np

from experiments.bhn import scores as scores_of
from experiments.bhn import trials
from experiments.reporting import tables

TITLES = {
    "one_draw": "gradient of one draw, as in the paper",
    "average": "gradient of the averaged prediction",
}
CAPTION = (
    "Under the fast gradient sign method, {}: accuracy, mean scores, AUROC "
    "that tells moved images from clean ones (adversaries) and wrong answers "
    "from right ones (errors) by BALD and by maximum entropy; mean over the "
    "trials."
)
_HEADING = [
    "",
    "trials",
    "step",
    "accuracy %",
    "BALD",
    "mean STD",
    "maximum entropy",
    "adversaries, BALD",
    "adversaries, entropy",
    "errors, BALD",
    "errors, entropy",
]
_MOST_STEPS = 6


def table(found, attack):
    """Returns heading and rows of texts, by method and step.

    Args:
        found: what `trials.Trials.found` returns.
        attack: key of `adversarial.ATTACKS`.
    """
    lines = [_HEADING]
    epsilons = [x["epsilon"] for x in found[0]["measures"][attack]]
    places = np.unique(
        np.linspace(0, len(epsilons) - 1, _MOST_STEPS).round().astype(int)
    )
    for method, group in trials.by_method(found):
        for place in places:
            accuracy = curve(group, attack, "accuracy")[:, place]
            lines.append(
                [
                    method.title,
                    str(len(group)),
                    f"{epsilons[place]:g}",
                    tables.format_mean(100 * accuracy, 1),
                    *(
                        _cell(curve(group, attack, what, score)[:, place])
                        for what, score in (
                            ("scores", "bald"),
                            ("scores", "mean_std"),
                            ("scores", "max_entropy"),
                            ("adversaries", "bald"),
                            ("adversaries", "max_entropy"),
                            ("errors", "bald"),
                            ("errors", "max_entropy"),
                        )
                    ),
                ]
            )
    return lines


def curve(group, attack, what, score=None):
    """Returns an array `(trials, steps)`; NaN where there is no number.

    Args:
        group: trials of one method.
        attack: key of `adversarial.ATTACKS`.
        what: a key of what `adversarial.measures` returns.
        score: key of `scores.SCORES`, or None for the accuracy.
    """

    def number(line):
        if score is None:
            return line[what]
        return np.nan if line[what] is None else line[what][score]

    return np.array(
        [[number(x) for x in one["measures"][attack]] for one in group], float
    )


def rises(found, attack):
    """Says how far scores rise, a sentence for each method.

    Args:
        found: what `trials.Trials.found` returns.
        attack: key of `adversarial.ATTACKS`.
    """
    lines = []
    for method, group in trials.by_method(found):
        parts = []
        for score in ("bald", "mean_std", "max_entropy"):
            mean = curve(group, attack, "scores", score).mean(axis=0)
            parts.append(
                f"{scores_of.SCORES[score]} from {mean[0]:.3f} to "
                f"{mean.max():.3f} at most"
            )
        lines.append(f"{method.title}, {TITLES[attack]}: {', '.join(parts)}.")
    return lines


def _cell(values):
    known = values[np.isfinite(values)]
    return f"{known.mean():.3f}" if len(known) else "–"

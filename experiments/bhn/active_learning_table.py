"""The numbers of Figure 4 as a table."""

import numpy as np

from experiments.bhn import methods
from experiments.bhn import scores as scores_of
from experiments.bhn import starts as starts_of
from experiments.bhn import trials
from experiments.reporting import tables

CAPTION = (
    "Test accuracy in per cent at some numbers of labels, mean ± standard "
    "deviation over the runs; the mean over all tests; instability, how far "
    "accuracy falls from one test to the next, in points, a mean over all "
    "tests in which a rise counts 0."
)
SCORES = {**scores_of.SCORES, "random": "random"}
_MOST_COLUMNS = 5


def table(found):
    """Returns heading and rows of texts, by score, start and method.

    Args:
        found: what `trials.Trials.found` returns.
    """
    numbers = found[0]["measures"]["labels"]
    places = np.unique(
        np.linspace(0, len(numbers) - 1, _MOST_COLUMNS).round().astype(int)
    )
    lines = [
        [
            "",
            "score",
            "start",
            "runs",
            *(f"{numbers[place]} labels" for place in places),
            "mean",
            "instability",
            "seconds",
        ]
    ]
    for (method, score, start), group in groups(found):
        accuracy = 100 * np.array([x["measures"]["accuracy"] for x in group])
        lines.append(
            [
                method.title,
                SCORES[score],
                starts_of.STARTS[start].title,
                str(len(group)),
                *(
                    tables.format_mean(accuracy[:, place], 1)
                    for place in places
                ),
                tables.format_mean(accuracy.mean(axis=1), 1),
                f"{np.mean(np.maximum(-np.diff(accuracy, axis=1), 0)):.2f}",
                f"{np.mean([one['seconds'] for one in group]):.0f}",
            ]
        )
    return lines


def notes(settings, found):
    """Says what was trained and bought, a list of sentences."""
    lines = [
        settings.described(),
        *trials.own_settings(found, falls=False),
        *starts_of.notes(found),
    ]
    bought = {(x["trial"]["method"], x["trial"]["score"]) for x in found}
    blind = [SCORES[x] for x in ("bald", "mean_std") if ("mle", x) in bought]
    if blind:
        lines.append(
            f"Without dropout all draws agree: {' and '.join(blind)} "
            f"{'are' if len(blind) > 1 else 'is'} 0 for every image, and what "
            "is taken is at random."
        )
    return [*lines, *trials.origins(found)]


def groups(found):
    """Returns pairs of (method, score, start) and runs, in a fixed order."""
    grouped = trials.grouped(found, "method", "score", "start").items()
    pairs = [
        ((methods.parse(method), score, start), group)
        for (method, score, start), group in grouped
    ]
    scores = list(SCORES)
    starts = list(starts_of.STARTS)

    def place(pair):
        method, score, start = pair[0]
        return (
            scores.index(score),
            starts.index(start),
            methods.order(method),
        )

    return sorted(pairs, key=place)

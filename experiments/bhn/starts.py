"""How training begins after new labels.

Where it was, anew, or as one method alone does it: dropout as Gal et al. do, in
few epochs with weight decay over the number of labels; Bayes by Hypernet where
it was, but with a KL that grows from 0 once more.
"""

import typing

from experiments.errors import ExperimentError


class Start(typing.NamedTuple):
    """A way to begin.

    Attributes:
        title: what tables and figures call it.
        panel: key of the start in whose panel of the figure it is drawn.
        style: of its lines there.
        method: name of the only method that has it, or None.
        note: what readers of the results should know, or None.
    """

    title: str
    panel: str
    style: str = "-"
    method: str | None = None
    note: str | None = None


GAL_EPOCHS = 5
STARTS = {
    "warm": Start("warm start", "warm"),
    "annealed": Start(
        "warm, KL annealed anew",
        "warm",
        ":",
        "bbh",
        "Annealed anew: weights as they were, the KL from 0 after each "
        "acquisition, as with new weights; a warm start keeps it in full.",
    ),
    "fresh": Start("re-initialised", "fresh"),
    "gal": Start(
        "Gal's settings",
        "fresh",
        "--",
        "dropout",
        f"Gal's settings: new weights, {GAL_EPOCHS} epochs, weight decay over "
        "the number of labels.",
    ),
}


def combinations(methods, scores, starts, is_default):
    """Returns what is to be run: methods, each with a start and its scores.

    Args:
        methods: list of `methods.Method`.
        scores: names of scores.
        starts: keys of `STARTS`.
        is_default: whether nobody asked for these scores and starts: then
            Bayes by Hypernet, whose training takes the longest, has BALD and
            warm starts only.

    Returns:
        List of `(method, start, scores)`.

    Raises:
        ExperimentError: if nothing is left, since some are for one method.
    """
    found = []
    for method in methods:
        for start in starts:
            if STARTS[start].method not in (None, method.name):
                continue
            if method.name != "bbh" or not is_default:
                found.append((method, start, scores))
            elif start == "warm":
                found.append((method, start, ["bald"]))
    if not found:
        unfit = " and ".join(
            f"{start}, which is for {STARTS[start].method}" for start in starts
        )
        raise ExperimentError(
            f"--starts: expected more than {unfit}; got methods "
            f"{', '.join(method.name for method in methods)}."
        )
    return found


def notes(found):
    """Returns what to know of the starts of some trials, a list of sentences.

    Args:
        found: what `trials.Trials.found` returns.
    """
    used = {one["trial"]["start"] for one in found}
    return [x.note for key, x in STARTS.items() if key in used and x.note]

"""How training begins after new labels.

Where it was, anew, or as Gal et al. do it (dropout only): anew, in few epochs,
with weight decay over the number of labels.
"""

from experiments.errors import ExperimentError

STARTS = {
    "warm": "warm start",
    "fresh": "re-initialised",
    "gal": "Gal's settings",
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
        ExperimentError: if nothing is left, since Gal's are for dropout.
    """
    found = []
    for method in methods:
        for start in starts:
            if start == "gal" and method.name != "dropout":
                continue
            if method.name != "bbh" or not is_default:
                found.append((method, start, scores))
            elif start == "warm":
                found.append((method, start, ["bald"]))
    if not found:
        raise ExperimentError(
            "--starts: expected more than gal, which is for dropout; got "
            f"methods {', '.join(method.name for method in methods)}."
        )
    return found

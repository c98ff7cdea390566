"""One call beside the others, split by split: as a table and in sentences."""

import numpy as np

from experiments import provenance
from experiments.defaults import measures
from experiments.defaults import methods
from experiments.defaults import problems
from experiments.reporting import tables

HEADING = [
    "",
    "",
    "error",
    "NLL",
    "error − plain",
    "NLL − plain",
    "AUROC",
    "90 % coverage",
    "seconds",
]
# Standard errors within which a difference is noise.
_NOISE = 2.0


def values(found, dataset, method, key):
    """Returns a measure of each split, a list.

    Args:
        found: dictionary from `(dataset, method, split)` to what
            `methods.run` returned, in the order of the splits.
        dataset: name of the data set.
        method: name of the method; of the plain network, means over the
            ensemble's members.
        key: `"error"`, `"nll"`, `"auroc"` or `"coverage"`.
    """
    chosen = _runs(found, dataset, method)
    if method == methods.PLAIN:
        return [_mean([one[key] for one in run["members"]]) for run in chosen]
    return [run["measures"][key] for run in chosen]


def paired(found, dataset, method, key):
    """Returns a measure less the plain network's, a dictionary by split."""
    own = _by_split(found, dataset, method, key)
    plain = _by_split(found, dataset, methods.PLAIN, key)
    return {split: own[split] - plain[split] for split in own if split in plain}


def difference(found, dataset, method, key):
    """Compares a method with the plain network on the same splits.

    Returns:
        `(mean, standard error)` of a measure less the plain network's; the
        error is None with a single split; or None where either was not run.
    """
    both = list(paired(found, dataset, method, key).values())
    if not both or method == methods.PLAIN:
        return None
    error = np.std(both, ddof=1) / np.sqrt(len(both)) if len(both) > 1 else None
    return float(np.mean(both)), error


def lines(found):
    """Formats all runs as lists of texts, without the heading."""
    rows = []
    for dataset, about in problems.DATASETS.items():
        for method, title in methods.TITLES.items():
            runs = _runs(found, dataset, method)
            if not runs:
                continue
            digits = 3 if "coverage" in runs[0]["measures"] else 1
            rows.append(
                [
                    about.title,
                    title,
                    tables.format_mean(
                        values(found, dataset, method, "error"), digits
                    ),
                    tables.format_mean(
                        values(found, dataset, method, "nll"), 3
                    ),
                    _difference(found, dataset, method, "error", digits),
                    _difference(found, dataset, method, "nll", 3),
                    _auroc(found, dataset, method),
                    _coverage(found, dataset, method),
                    f"{np.mean([run['seconds'] for run in runs]):.0f}"
                    if method != methods.PLAIN
                    else "",
                ]
            )
    return rows


def title(replaced):
    """Says what was compared.

    Args:
        replaced: dictionary of the arguments of the calls that were given in
            place of their choices.
    """
    if not replaced:
        return "One call, with nothing but its defaults"
    given = ", ".join(f"{name}={x:g}" for name, x in replaced.items())
    return f"One call, with {given} in place of its choice"


def notes(found, held_out):
    """Says what the columns are, what was chosen and what came of it."""
    part = "a held-out part of the training set" if held_out else "the test set"
    said = [
        f"On {part}; mean ± standard deviation over splits (images: seeds). "
        "− plain: the difference from the plain network on the same splits, ± "
        "standard error; the plain network is each member of the ensemble by "
        "itself. Error: per cent; for diabetes the root mean square in "
        "standard deviations of the labels. NLL: nats per example. AUROC: "
        "detection by entropy of outliers or, for tables, of "
        "misclassifications, all splits together. 90 % coverage: the share "
        "of labels within intervals that should hold 90 % of them.",
    ]
    for method in methods.CALLS:
        for dataset, about in problems.DATASETS.items():
            runs = _runs(found, dataset, method)
            if not runs:
                continue
            told = runs[0]["chosen"].partition(": ")[2]
            said.append(
                f"{methods.TITLES[method]}, {about.title}: "
                f"{_verdict(found, dataset, method)}; it chose {told}."
            )
    others = [
        title
        for method, title in methods.TITLES.items()
        if method not in methods.CALLS
        and any(_runs(found, dataset, method) for dataset in problems.DATASETS)
    ]
    if others:
        said.append(
            f"{', '.join(others)}: FusedAdam({methods.LEARNING_RATE:g}), "
            "constant."
        )
    # A folder goes on: its runs may be of several commits.
    return said + provenance.counted(
        [run["provenance"] for run in found.values()], "run"
    )


def _verdict(found, dataset, method):
    """Says whether a method is worse than the plain network."""
    compared = {
        key: difference(found, dataset, method, key) for key in ("error", "nll")
    }
    if None in compared.values():
        return "beside no plain network, for want of a deep ensemble"
    # What a single split differs by by chance is not known.
    worse = [
        key
        for key, (mean, error) in compared.items()
        if mean > _NOISE * (error or 0.0)
    ]
    is_single = compared["nll"][1] is None
    if worse:
        verdict = f"worse than the plain network in {' and '.join(worse)}"
        return verdict + ", on one split" * is_single
    return "no worse than the plain network " + (
        "on one split" if is_single else "within noise"
    )


def _runs(found, dataset, method):
    trained = "ensemble" if method == methods.PLAIN else method
    return [
        run
        for (its_dataset, its_method, _), run in found.items()
        if (its_dataset, its_method) == (dataset, trained)
    ]


def _by_split(found, dataset, method, key):
    trained = "ensemble" if method == methods.PLAIN else method
    splits = [
        split
        for its_dataset, its_method, split in found
        if (its_dataset, its_method) == (dataset, trained)
    ]
    return dict(zip(splits, values(found, dataset, method, key)))


def _mean(numbers):
    return None if None in numbers else float(np.mean(numbers))


def _difference(found, dataset, method, key, digits):
    compared = difference(found, dataset, method, key)
    if compared is None:
        return ""
    mean, error = compared
    text = f"{mean:+.{digits}f}"
    return text if error is None else f"{text} ± {error:.{digits}f}"


def _auroc(found, dataset, method):
    runs = _runs(found, dataset, method)
    if method == methods.PLAIN:
        each = [
            [run["members"][k] for run in runs]
            for k in range(len(runs[0]["members"]))
        ]
    else:
        each = [[run["measures"] for run in runs]]
    if "wrong" in each[0][0]:
        told = [measures.misclassification(one) for one in each]
        return "–" if None in told else f"{np.mean(told):.3f}"
    numbers = values(found, dataset, method, "auroc")
    return "" if None in numbers else tables.format_mean(numbers, 3)


def _coverage(found, dataset, method):
    if "coverage" not in _runs(found, dataset, method)[0]["measures"]:
        return ""
    return tables.format_mean(values(found, dataset, method, "coverage"), 0)

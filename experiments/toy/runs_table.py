"""Runs of Figure 1 with Bayes by Hypernet in several settings, as text."""

import pathlib

from experiments import files
from experiments.errors import ExperimentError
from experiments.toy import table as toy_table

_DIVERGENCES = ("kernel", "entropy", "full_kernel")


def table(folders):
    """Sets the runs below one another.

    Args:
        folders: paths of folders with results of `toy_regression`, in files
            of any names.

    Returns:
        List of lists of texts, the heading first.

    Raises:
        ExperimentError: if a folder has no run of Bayes by Hypernet, or if two
            runs have the same settings.
    """
    runs = {}
    for folder in folders:
        found = [
            run
            for path in sorted(pathlib.Path(folder).glob("*.json"))
            if "bbh" in (run := files.read_json(path)).get("measures", {})
        ]
        if not found:
            raise ExperimentError(f"expected runs with bbh; got none: {folder}")
        for run in found:
            place = _place(run)
            if place in runs:
                raise ExperimentError(
                    f"{folder}: expected runs of different settings; got two "
                    f"of {place}"
                )
            runs[place] = run
    lines = [
        [
            *("divergence", "noise_dim", "but for", "seed"),
            *("W1 to HMC", "std / HMC's", "NLL", "estimated KL"),
        ]
    ]
    for place in sorted(runs):
        divergence, noise_dim, others, seed = place
        run = runs[place]
        lines.append(
            [
                _DIVERGENCES[divergence],
                str(noise_dim),
                others,
                str(seed),
                *toy_table.inside_and_outside(run["measures"]["bbh"]),
                f"{run['training']['bbh']['kl']:.1f}",
            ]
        )
    return lines


def _place(run):
    """What tells a run from others, in the order of the table."""
    settings = run["settings"]["bbh"]
    others = []
    if not settings["shared_noise"]:
        others.append("`--noshared_noise`")
    if not settings["clipnorm"]:
        others.append("`--clipnorm=0`")
    if settings["num_prior_samples"] is not None:
        others.append(f"`--num_prior_samples={settings['num_prior_samples']}`")
    return (
        _DIVERGENCES.index(settings["divergence"]),
        settings["noise_dim"],
        ", ".join(others),
        run["seed"],
    )

"""Runs of Figure 1 with Bayes by Hypernet in several settings, as text."""

import dataclasses
import pathlib

from experiments import files
from experiments.errors import ExperimentError
from experiments.toy import settings as toy_settings
from experiments.toy import table as toy_table

_DIVERGENCES = ("kernel", "entropy", "full_kernel", "constant_entropy")
_COLUMNS = ("divergence", "noise_dim")


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
    return (
        _DIVERGENCES.index(settings["divergence"]),
        settings["noise_dim"],
        ", ".join(f"`{text}`" for text in _differences(run, settings)),
        run["seed"],
    )


def _differences(run, settings):
    """What a run had in place of the first preset's settings, in full."""
    preset = run.get("preset", toy_settings.PRESETS[0])
    scale = run.get("scale", toy_settings.SCALES[0])
    found = []
    if preset != toy_settings.PRESETS[0]:
        found.append(f"--preset={preset}")
    if scale != toy_settings.SCALES[0]:
        found.append(f"--scale={scale}")
    defaults = dataclasses.asdict(toy_settings.of(preset, "bbh", scale))
    for name, default in defaults.items():
        value = settings.get(name, default)
        # As in a file.
        if name in _COLUMNS or value in (default, _listed(default)):
            continue
        if isinstance(value, bool):
            found.append(f"--{'' if value else 'no'}{name}")
        else:
            found.append(f"--{name}={_text(value)}")
    draws = toy_settings.num_prediction_samples(preset)
    number = run.get("num_prediction_samples", draws)
    if number != draws:
        found.append(f"--num_prediction_samples={number}")
    return found


def _listed(value):
    return list(value) if isinstance(value, tuple) else value


def _text(value):
    if isinstance(value, list):
        return ",".join(map(str, value))
    # No limit, and no number of its own.
    return f"{value or 0:g}"

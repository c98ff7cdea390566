"""Methods beside the posterior: what a run of Figure 1 computes and writes."""

import dataclasses
import time

import numpy as np

from experiments import files
from experiments import provenance
from experiments.reporting import exhibit
from experiments.toy import data as toy_data
from experiments.toy import figure as toy_figure
from experiments.toy import measures as toy_measures
from experiments.toy import methods as toy_methods
from experiments.toy import reference as toy_reference
from experiments.toy import settings as toy_settings
from experiments.toy import table as toy_table

_REFERENCE = "hmc"
NAMES = {_REFERENCE: "Posterior (HMC)", **toy_settings.METHODS}
# Chains, and draws of each.
_CHAINS = {"full": (16, 300), "smoke": (2, 10)}


def compare(settings, seed, num_prediction_samples, scale="full"):
    """Samples the posterior and trains the methods.

    Args:
        settings: dictionary from methods to `toy_settings.Settings`.
        seed: seed of all but the data.
        num_prediction_samples: functions drawn from each method.
        scale: one of `toy_settings.SCALES`; how long the chains are.

    Returns:
        `(results, draws)`: a dictionary for `results.json`, and a dictionary
        from `"hmc"` and the methods to functions drawn at the grid.
    """
    data = toy_data.training_data()
    grid = toy_data.grid()
    test_x, test_y = toy_data.test_data()
    points = np.concatenate([grid, test_x])
    num_chains, num_draws = _CHAINS[scale]

    start = time.monotonic()
    reference = toy_reference.run(
        data,
        points,
        toy_settings.UNITS,
        toy_data.NOISE_STD,
        num_chains,
        num_draws,
        seed,
    )
    functions = {_REFERENCE: reference.draws.reshape(-1, len(points))}
    seconds = {_REFERENCE: time.monotonic() - start}
    training = {}
    for method, chosen in settings.items():
        start = time.monotonic()
        model, training[method] = toy_methods.train(method, chosen, data, seed)
        functions[method] = toy_methods.predict(
            model, points, num_prediction_samples
        )
        seconds[method] = time.monotonic() - start

    draws = {key: values[:, : len(grid)] for key, values in functions.items()}
    results = {
        "seed": seed,
        "num_prediction_samples": num_prediction_samples,
        "settings": {k: dataclasses.asdict(v) for k, v in settings.items()},
        "reference": {
            **reference.diagnostics(),
            "num_chains": num_chains,
            "num_draws": num_draws,
        },
        "training": training,
        "measures": {
            key: toy_measures.measure(
                draws[key],
                values[:, len(grid) :],
                test_y[:, 0],
                draws[_REFERENCE],
            )
            for key, values in functions.items()
        },
        "seconds": seconds,
        "provenance": provenance.describe(),
    }
    return results, draws


def write(results, draws, folder, command):
    """Writes `results.json`, the figure, and both for the report.

    Args:
        results: what `compare` returned.
        draws: likewise.
        folder: a `pathlib.Path`.
        command: what made them.

    Returns:
        The figure's path.
    """
    files.write_json(folder / "results.json", results)
    notes = {
        key: _note(key, found) for key, found in results["measures"].items()
    }
    path = toy_figure.write(toy_figure.panels(draws, NAMES, notes), folder)
    heading, *rows = toy_table.table(results, NAMES)
    exhibit.write(
        folder,
        "A cubic, twenty points, and the posterior itself (Figure 1)",
        [exhibit.Figure(path.name, toy_figure.CAPTION.replace("\n", " "))],
        [exhibit.Table("How far each method is from it.", heading, rows)],
        toy_table.notes(results),
        command,
    )
    return path


def _note(key, measures):
    to_truth = f"RMSE {measures['rmse']:.0f} to x³"
    if key == _REFERENCE:
        return to_truth
    seen, unseen = measures["seen"], measures["unseen"]
    return (
        f"{to_truth}, {measures['all']['rmse_to_reference']:.1f} to HMC\n"
        f"std / HMC's: {seen['std_ratio']:.2f} inside, "
        f"{unseen['std_ratio']:.2f} outside"
    )

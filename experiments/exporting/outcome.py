"""What came of exported runs, written as runs write it here."""

import dataclasses
import pathlib
import sys

import numpy as np

from experiments import arrays
from experiments import evaluation
from experiments import files
from experiments import flag_checks
from experiments import run_config
from experiments import runner
from experiments.errors import ExperimentError
from experiments.exporting import exported_folder

_PREDICTIONS = [
    f"{part}_{what}"
    for what in ("probabilities", "expected_entropy")
    for part in ("test", "outlier")
]


def take_in(exported, out, output_dir):
    """Imports all runs of an export that are done.

    What is already in the output folder is not done again.

    Args:
        exported: folder that `exported_folder.write` wrote.
        out: folder that `run_exported.run_all` wrote.
        output_dir: folder for the results.

    Returns:
        List of result dictionaries, in the order of the export.

    Raises:
        ExperimentError: if no run is done, or one does not belong to the
            export, or its folder in the output has a run that was begun here.
    """
    exported, out = pathlib.Path(exported), pathlib.Path(out)
    with flag_checks.naming("exported"):
        export = exported_folder.read(exported)
        labels = exported_folder.read_array(exported, export, "test_labels")
    runs, left_out = [], []
    for name in export["runs"]:
        run = files.read_json(exported / name / "run.json")
        if not (out / name / "done.json").exists():
            left_out.append(name)
            continue
        config = run_config.read(run["config"])
        runs.append((config, run, _outcome(name, run, out / name)))
    if not runs:
        raise ExperimentError(
            f"--out: expected runs that are done; got none of "
            f"{', '.join(left_out)} in {out}."
        )
    if left_out:
        print(f"Not done yet: {', '.join(left_out)}.", file=sys.stderr)
    with files.only_user(output_dir) as folder:
        for config, _, _ in runs:
            _check_free(config, runner.folder_of(folder, config))
        return [
            _import(
                runner.folder_of(folder, config),
                config,
                run,
                outcome,
                labels,
                export["provenance"],
            )
            for config, run, outcome in runs
        ]


def _check_free(config, folder):
    """Refuses a folder with another run, or with weights of another."""
    # Its checkpoint would be taken for that of the results. One that has
    # results is left as it is.
    has_results = (folder / "results.json").exists()
    if (folder / "state.json").exists() and not has_results:
        raise ExperimentError(
            f"--output_dir: expected {folder} to have no checkpoint; got one "
            "of a run that was begun here. Choose another folder."
        )
    runner.check_same(config, folder)


def _outcome(name, run, folder):
    """Returns `(done, history, predictions)` of a run, once checked."""
    try:
        history = files.read_json_lines(folder / "metrics.jsonl")
        predictions = arrays.read(folder / "predictions.npz")
        done = files.read_json(folder / "done.json")
        found = [predictions[key].shape for key in _PREDICTIONS]
    except (OSError, ValueError, KeyError, ExperimentError) as error:
        raise ExperimentError(
            f"--out: expected metrics.jsonl, predictions.npz and done.json of "
            f"{name}, whole; {error}."
        ) from error
    if done.get("id") != run["id"]:
        raise ExperimentError(
            f"--out: expected what came of --exported; {name} came of another "
            "export."
        )
    num_epochs, facts = len(run["epoch_keys"]), run["facts"]
    sizes = [facts[x] for x in ("num_test", "num_outliers")]
    wanted = [(size, run["num_classes"]) for size in sizes]
    wanted += [(size,) for size in sizes]
    if found != wanted or len(history) != num_epochs:
        raise ExperimentError(
            f"--out: expected {num_epochs} epochs and predictions of shapes "
            f"{wanted} of {name}; got {len(history)} and {found}."
        )
    if not all(np.isfinite(predictions[key]).all() for key in _PREDICTIONS):
        raise ExperimentError(
            f"--out: expected finite predictions of {name}; got NaN or "
            "infinity."
        )
    return done, history, predictions


def _import(folder, config, run, outcome, labels, exported_on):
    results_file = folder / "results.json"
    if results_file.exists():
        return files.read_json(results_file)
    done, history, predictions = outcome
    folder.mkdir(parents=True, exist_ok=True)
    files.write_json(folder / "config.json", dataclasses.asdict(config))
    runner.write_results(
        folder,
        config,
        history,
        {
            part: evaluation.predictive_of_means(
                predictions[f"{part}_probabilities"],
                predictions[f"{part}_expected_entropy"],
            )
            for part in ("test", "outlier")
        },
        labels,
        run["num_classes"],
        {
            **run["facts"],
            # Exported programs know one device.
            "num_replicas": 1,
            "seconds": done["seconds"],
            # The code is the export's, the machine that of the run.
            "provenance": {
                **exported_on,
                "gpus": [] if done["platform"] == "cpu" else [done["device"]],
                "jax": done["jax"],
                "compile_seconds": done["compile_seconds"],
                "compile_cpu_seconds": done["compile_cpu_seconds"],
            },
        },
    )
    return files.read_json(results_file)

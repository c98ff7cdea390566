"""Takes in what `run_exported.py` made, as if it had been made here.

python -m experiments.import_run --exported=exported --out=outcome \
    --output_dir=runs/mnist_methods

Writes of each run what a run writes here, all but its checkpoint, by the same
code; `experiments.report` reads it. All runs of the export must be done.
"""

import dataclasses
import json
import pathlib
import sys

import numpy as np
from absl import flags

from experiments import command_line
from experiments import files
from experiments.errors import ExperimentError

_EXPORTED = flags.DEFINE_string(
    "exported", None, "Folder that export_run wrote.", required=True
)
_OUT = flags.DEFINE_string(
    "out", None, "Folder that run_exported.py wrote.", required=True
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for the results.", required=True
)


def run(exported, out, output_dir):
    """Imports all runs of an export.

    What is already in the output folder is not done again.

    Args:
        exported: folder that `exported_folder.write` wrote.
        out: folder that `run_exported.run_all` wrote.
        output_dir: folder for the results.

    Returns:
        List of result dictionaries, in the order of the export.

    Raises:
        ExperimentError: if a run is not done, or does not belong to the
            export.
    """
    # Importing TensorFlow takes seconds; a wrong flag is told before.
    print("Starting TensorFlow.", file=sys.stderr, flush=True)
    from experiments import run_config
    from experiments import runner
    from experiments.exporting import exported_folder

    exported, out = pathlib.Path(exported), pathlib.Path(out)
    export = exported_folder.read(exported)
    labels = exported_folder.read_array(exported, export, "test_labels")
    runs = []
    for name in export["runs"]:
        run = files.read_json(exported / name / "run.json")
        outcome = _outcome(name, run, out / name)
        config = run_config.read(run["config"])
        runs.append((config, run, outcome))
    with files.only_user(output_dir) as folder:
        for config, _, _ in runs:
            runner.check_same(config, runner.folder_of(folder, config))
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


def _outcome(name, run, folder):
    """Returns `(done, history, predictions)` of a run, once checked."""
    history = []
    if (folder / "metrics.jsonl").exists():
        text = (folder / "metrics.jsonl").read_text()
        history = [json.loads(line) for line in text.splitlines()]
    num_epochs = len(run["epoch_keys"])
    if not (folder / "done.json").exists():
        raise ExperimentError(
            f"--out: expected all runs to be done; got {len(history)} of "
            f"{num_epochs} epochs of {name}, and no predictions."
        )
    done = files.read_json(folder / "done.json")
    if done["id"] != run["id"]:
        raise ExperimentError(
            f"--out: expected what came of --exported; {name} came of another "
            "export."
        )
    predictions = dict(np.load(folder / "predictions.npz"))
    num_classes, facts = run["num_classes"], run["facts"]
    wanted = [(facts[x], num_classes) for x in ("num_test", "num_outliers")]
    found = [
        predictions[f"{part}_probabilities"].shape
        for part in ("test", "outlier")
    ]
    if found != wanted or len(history) != num_epochs:
        raise ExperimentError(
            f"--out: expected {num_epochs} epochs and predictions of shapes "
            f"{wanted} of {name}; got {len(history)} and {found}."
        )
    return done, history, predictions


def _import(folder, config, run, outcome, labels, exported_on):
    from experiments import evaluation
    from experiments import runner

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
            "seconds": done["seconds"],
            # The code is the export's, the machine that of the run.
            "provenance": {
                **exported_on,
                "gpus": [done["device"]],
                "jax": done["jax"],
            },
        },
    )
    return files.read_json(results_file)


if __name__ == "__main__":
    command_line.start(
        lambda: run(_EXPORTED.value, _OUT.value, _OUTPUT_DIR.value)
    )

"""What is found out about one trained run, now or before."""

from experiments import files
from experiments import lazy
from experiments import run_names
from experiments import trained_runs
from experiments.errors import ExperimentError
from experiments.reporting import tables
from experiments.shift import settings

bbh = lazy.import_module("bbh_tf")
shift_predictions = lazy.import_module("experiments.shift.predictions")


def named(trained):
    """Names runs that are done, on one of `settings.DATASETS`.

    Args:
        trained: list of pairs of a folder and its results, see
            `trained_runs.find`.

    Returns:
        Dictionary from names of runs to pairs of a folder and what its
        `results.json` has, in the paper's order.

    Raises:
        ExperimentError: if one is on other data, or two are the same.
    """
    trained = sorted(trained, key=lambda pair: tables.order(pair[1]))
    configs = [results["config"] for _, results in trained]
    datasets = sorted({config["dataset"] for config in configs})
    if len(datasets) > 1 or datasets[0] not in settings.DATASETS:
        raise ExperimentError(
            "--runs: expected runs on one data set, "
            f"{' or '.join(settings.DATASETS)}; got {', '.join(datasets)}."
        )
    keys = [run_names.file_name(config) for config in configs]
    for (folder, _), key in zip(trained, keys):
        if keys.count(key) > 1:
            raise ExperimentError(
                f"--runs: expected each run once; got {folder} and another of "
                "its table, row and seed."
            )
    return dict(zip(run_names.names(configs), trained))


def path_of(output, config):
    """Returns the file of what is found out about a run."""
    return output / f"{run_names.file_name(config)}.json"


def analyse(folder, results, images, chosen, output, num_samples):
    """Predicts with a run, or reads what it predicted before.

    Args:
        folder: its folder, a `pathlib.Path`.
        results: what its `results.json` has.
        images: arguments of `shift_predictions.analyse` after the model.
        chosen: what determines them, a dictionary for JSON.
        output: folder for what is found, a `pathlib.Path`.
        num_samples: draws, or None for the run's own number.

    Returns:
        Dictionary with `"config"`, `"settings"`, `"trained"` and `"found"`,
        see `shift_predictions.analyse`.

    Raises:
        ExperimentError: if the run has no model, or the folder holds
            something else.
    """
    config = results["config"]
    trained = {key: results[key] for key in ("provenance", "seconds")}
    chosen = {**chosen, "num_samples": num_samples}
    path = path_of(output, config)
    known = trained_runs.made_before(path, chosen, trained, "predictions")
    # What was found by an earlier version has no temperature.
    if known is not None and "temperature" in known["found"]:
        return known
    print(f"Predicting with {folder}.", flush=True)
    model = trained_runs.load(folder)
    # The draws of an ensemble are its members.
    if num_samples and not isinstance(model, bbh.models.DeepEnsemble):
        model.num_prediction_samples = num_samples
    found = {
        "config": config,
        "settings": chosen,
        "trained": trained,
        "found": shift_predictions.analyse(model, *images),
    }
    files.write_json(path, found)
    return files.read_json(path)

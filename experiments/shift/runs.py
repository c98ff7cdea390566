"""What is found out about one trained run, now or before."""

from experiments import files
from experiments import run_names
from experiments import trained_runs
from experiments.errors import ExperimentError
from experiments.reporting import tables

DATASETS = ("digits", "mnist")


def find(folders):
    """Finds runs that are done, on one of `DATASETS`.

    Args:
        folders: output folders of experiments.

    Returns:
        Dictionary from names of runs to pairs of a folder and what its
        `results.json` has, in the paper's order.

    Raises:
        ExperimentError: if there is none, one is on other data, or two are
            the same.
    """
    trained = trained_runs.find(folders)
    trained.sort(key=lambda pair: tables.order(pair[1]))
    configs = [results["config"] for _, results in trained]
    datasets = sorted({config["dataset"] for config in configs})
    if len(datasets) > 1 or datasets[0] not in DATASETS:
        raise ExperimentError(
            "--runs: expected runs on one data set, "
            f"{' or '.join(DATASETS)}; got {', '.join(datasets)}."
        )
    keys = [run_names.file_name(config) for config in configs]
    for (folder, _), key in zip(trained, keys):
        if keys.count(key) > 1:
            raise ExperimentError(
                f"--runs: expected each run once; got {folder} and another of "
                "its table, row and seed."
            )
    return dict(zip(run_names.names(configs), trained))


def analyse(folder, results, images, settings, output, num_samples):
    """Predicts with a run, or reads what it predicted before.

    Args:
        folder: its folder, a `pathlib.Path`.
        results: what its `results.json` has.
        images: arguments of `shift_predictions.analyse` after the model.
        settings: what determines them, a dictionary for JSON.
        output: folder for what is found, a `pathlib.Path`.
        num_samples: draws, or None for the run's own number.

    Returns:
        Dictionary with `"config"`, `"settings"`, `"trained"` and `"found"`,
        see `shift_predictions.analyse`.

    Raises:
        ExperimentError: if the run has no checkpoint, or the folder holds
            something else.
    """
    config = results["config"]
    trained = {key: results[key] for key in ("provenance", "seconds")}
    settings = {**settings, "num_samples": num_samples}
    path = output / f"{run_names.file_name(config)}.json"
    known = trained_runs.made_before(path, settings, trained, "predictions")
    if known is not None:
        return known
    # Imported here, so that a wrong flag is told before TensorFlow starts.
    from experiments.shift import predictions as shift_predictions

    print(f"Predicting with {folder}.", flush=True)
    model = trained_runs.load(folder)
    # The draws of an ensemble are its members.
    if num_samples and config["method"] not in ("map", "ensemble"):
        model.num_prediction_samples = num_samples
    found = {
        "config": config,
        "settings": settings,
        "trained": trained,
        "found": shift_predictions.analyse(model, *images),
    }
    files.write_json(path, found)
    return files.read_json(path)

"""Runs an experiment: trains, predicts, writes, and skips what is done."""

import dataclasses
import functools
import json

import numpy as np

import bbh_tf as bbh
from bbh_tf import workers
from experiments import building
from experiments import data_sets
from experiments import evaluation
from experiments import files
from experiments import inputs
from experiments import provenance
from experiments import run_config as run_configs
from experiments import strategies
from experiments import training
from experiments.checkpoints import Checkpoints
from experiments.errors import ExperimentError


def run(config, report=None):
    """Trains and evaluates all rows and seeds of an experiment.

    What is already in the output folder is not done again.

    Args:
        config: a `Config`.
        report: callable that is told `(run_config, stage, epochs)` as work
            goes on; None for silence.

    Returns:
        List of result dictionaries, in the order of `config.runs()`.

    Raises:
        ExperimentError: with one line that says what is wrong.
    """
    report = report or (lambda *_: None)
    strategy = strategies.make(config.strategy)
    runs = config.runs()
    for run_config in runs:
        _check_replicas(run_config, config.execution, strategy)
    with strategies.job(config.strategy, config.output_dir) as folder:
        for run_config in runs:
            check_same(run_config, folder_of(folder, run_config))
        data = load_data(config)
        return [
            _run_one(
                run_config,
                data,
                folder_of(folder, run_config),
                report,
                config.execution,
            )
            for run_config in runs
        ]


def wait_for_all(strategy):
    """Waits until all workers have come here."""
    with workers.watched(strategy):
        workers.of_all(0, strategy)


def _check_replicas(run_config, execution, strategy):
    """Refuses what several replicas would not do as one device does."""
    count = strategy.num_replicas_in_sync
    if count == 1:
        return
    where = (
        f"expected one device (CUDA_VISIBLE_DEVICES=0, say); the strategy has "
        f"{count} replicas."
    )
    if execution.jit:
        raise ExperimentError(f"--jit: {where}")
    clips = run_config.global_clipnorm is not None
    if clips and run_config.optimizer != "adam":
        raise ExperimentError(f"--global_clipnorm: {where}")
    if run_config.num_members > 1 and run_config.batch_size % count:
        raise ExperimentError(
            f"--strategy: expected replicas that divide the batch of "
            f"{run_config.batch_size} of each member; got {count}."
        )


def remove_models(config):
    """Removes the models of an experiment's runs, which are done."""
    with files.only_user(config.output_dir) as folder:
        for run_config in config.runs():
            Checkpoints(folder_of(folder, run_config)).remove()


@functools.lru_cache(maxsize=1)
def load_data(config):
    """Loads the data of an experiment, once.

    Raises:
        ExperimentError: if it is not there or not as it should be.
    """
    try:
        data = bbh.datasets.load(
            config.dataset,
            data_dir=config.data_dir,
            num_validation=config.num_validation,
            outlier_dir=config.outlier_dir,
        )
    except (ValueError, OSError, ImportError) as error:
        raise ExperimentError(f"--dataset={config.dataset}: {error}") from error
    if config.num_validation:
        data = dataclasses.replace(
            data,
            test_images=data.validation_images,
            test_labels=data.validation_labels,
        )
    if config.scale == "smoke":
        data = data.take(*data_sets.SMOKE_EXAMPLES)
    return data


def _run_one(config, data, folder, report, execution):
    results_file = folder / "results.json"
    strategy = strategies.make(execution.strategy)
    if workers.of_chief(results_file.exists(), strategy):
        report(config, "done", config.epochs)
        return files.read_json(results_file)
    is_chief = workers.is_chief(strategy)
    if is_chief:
        folder.mkdir(parents=True, exist_ok=True)
        files.write_json(folder / "config.json", dataclasses.asdict(config))

    model, history, seconds = training.train(
        config,
        data,
        folder,
        lambda epochs: report(config, "training", epochs),
        execution,
    )
    if not is_chief:
        wait_for_all(strategy)
        return files.read_json(results_file)
    report(config, "predicting", config.epochs)
    test, outliers = (
        evaluation.predictive(
            building.predict_samples(
                model, inputs.for_prediction(config, images)
            )
        )
        for images in (data.test_images, data.outlier_images)
    )
    write_results(
        folder,
        config,
        history,
        {"test": test, "outlier": outliers},
        data.test_labels,
        data.num_classes,
        {
            **facts(model, data),
            "seconds": seconds,
            "num_replicas": strategy.num_replicas_in_sync,
            "provenance": provenance.describe(),
        },
    )
    wait_for_all(strategy)
    report(config, "done", config.epochs)
    return files.read_json(results_file)


def facts(model, data):
    """Returns what the results say of a model and its data: counts, names."""
    sizes = [np.prod(x.shape) for x in model.trainable_variables]
    return {
        "num_train": len(data.train_images),
        "num_test": len(data.test_images),
        "num_outliers": len(data.outlier_images),
        "outliers": data.outlier_name,
        "num_parameters": int(sum(sizes)),
    }


def write_results(
    folder, config, history, predictives, labels, num_classes, known
):
    """Evaluates predictions and writes all that is kept of a run.

    Args:
        folder: the run's folder; `results.json` is written last.
        config: a `RunConfig`.
        history: list of dictionaries of metrics, one an epoch.
        predictives: `evaluation.predictive` of `"test"` and `"outlier"`.
        labels: labels of the test set.
        num_classes: number of classes.
        known: what else the results say: `facts`, `"seconds"` of training
            and `"provenance"`.
    """
    files.write_text(
        folder / "metrics.jsonl",
        "".join(json.dumps(line, sort_keys=True) + "\n" for line in history),
    )
    with files.replacing(folder / "predictions.npz") as path:
        np.savez_compressed(
            path,
            test_labels=labels,
            **{
                f"{name}_{k}": v.astype(np.float32)
                for name, found in predictives.items()
                for k, v in found.items()
            },
        )
    results = {
        "config": dataclasses.asdict(config),
        "settings": building.settings(config),
        "measures": evaluation.measures(
            predictives["test"], labels, predictives["outlier"], num_classes
        ),
        "final": history[-1],
        **known,
    }
    files.write_json(folder / "results.json", results)


def folder_of(folder, config):
    """Returns the folder of a run within that of its experiment."""
    return folder / config.row / f"seed_{config.seed}"


def check_same(config, folder):
    """Refuses a folder that holds a run of other settings.

    Args:
        config: a `RunConfig`.
        folder: the run's folder, which need not be there.

    Raises:
        ExperimentError: if it holds results or a checkpoint of other settings,
            or another seed's beside it do: a row's seeds are averaged.
    """
    for path in sorted(folder.parent.glob("seed_*")):
        saved = _saved(path)
        if saved is not None:
            own = config
            if path != folder:
                own = dataclasses.replace(config, seed=saved.get("seed"))
            check_settings(own, saved, path)


def _saved(folder):
    """Returns the settings of a run; None where nothing came of it yet."""
    path = folder / "results.json"
    if path.exists():
        # They stay where results are copied alone.
        saved = files.read_json(path).get("config")
    elif (folder / "state.json").exists():
        path = folder / "config.json"
        saved = files.read_json(path)
    else:
        return None
    if not isinstance(saved, dict) or not {"seed", "method"} <= saved.keys():
        raise ExperimentError(f"{path}: expected the settings of a run.")
    return saved


def check_settings(config, saved, folder):
    """Refuses other settings than those of a run.

    Args:
        config: a `RunConfig`.
        saved: the configuration that is there, a dictionary.
        folder: where it is.

    Raises:
        ExperimentError: naming the first setting that differs.
    """
    found = dataclasses.asdict(run_configs.read(saved))
    # Through JSON, which has no tuples.
    wanted = json.loads(json.dumps(dataclasses.asdict(config)))
    for name, value in wanted.items():
        if found[name] != value:
            raise ExperimentError(
                f"--output_dir: {folder} holds a run with "
                f"{name}={found[name]}; expected {name}={value}. Choose "
                "another folder, or remove that one."
            )

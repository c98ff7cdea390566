"""The folder of exported runs: what is in it, and how it is written.

export.json     the runs, in order, the files of the data, the provenance
data/           images and labels, once for all runs
<row>/seed_<n>/ of each run: run.json, values.npz, and two programs,
                train.mlir.gz and predict.mlir.gz
"""

import dataclasses
import gzip
import hashlib
import inspect
import json
import shutil

import keras
import numpy as np
import tensorflow as tf

from experiments import arrays
from experiments import building
from experiments import files
from experiments import provenance
from experiments import run_config as run_configs
from experiments import runner
from experiments.errors import ExperimentError
from experiments.exporting import exported_run
from experiments.exporting import images as export_images
from experiments.exporting import lowering as export_lowering
from experiments.exporting import programs as export_programs
from experiments.exporting import values as export_values

# A part of an array at most, so that what may carry little at once carries it.
_PART_BYTES = 3 * 2**23
_EXPORT_FILE = "export.json"


def write(config, carry_all, report):
    """Exports all rows and seeds of an experiment.

    Args:
        config: a `Config`; its output folder is where to write.
        carry_all: see `export_values.start_of`.
        report: callable that is told in a line what is done.

    Returns:
        Bytes in the folder.

    Raises:
        ExperimentError: if something cannot be exported, or the folder is not
            empty.
    """
    with files.only_user(config.output_dir) as folder:
        if [path for path in folder.iterdir() if path.name != ".lock"]:
            raise ExperimentError(
                f"--output_dir: expected an empty folder; got {folder}."
            )
        try:
            _write_all(folder, config, carry_all, report)
        except BaseException:
            # Nothing goes on from here: the same command begins anew.
            for path in folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
            raise
        return sum(
            path.stat().st_size for path in folder.rglob("*") if path.is_file()
        )


def _write_all(folder, config, carry_all, report):
    data = runner.load_data(config)
    arrays = _arrays(data)
    names = []
    for run_config in config.runs():
        where = runner.folder_of(folder, run_config)
        try:
            _write_run(where, run_config, data, arrays, carry_all)
        except (tf.errors.OpError, NotImplementedError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ExperimentError(
                f"{run_config.row}: expected a run that XLA can compile: "
                f"{reason}"
            ) from error
        names.append(where.relative_to(folder).as_posix())
        report(f"{names[-1]}: exported")
    export = {
        "format": exported_run.FORMAT,
        "runs": names,
        "data": _write_data(folder / "data", arrays),
        "provenance": provenance.describe(),
    }
    # The last, so that a folder that has it is whole.
    files.write_json(folder / _EXPORT_FILE, export)


def read(folder):
    """Reads the description of a folder that `write` wrote.

    Raises:
        ExperimentError: if it is none, or of another version.
    """
    if not (folder / _EXPORT_FILE).exists():
        raise ExperimentError(
            f"{folder}: expected a folder of exported runs; it has no "
            f"{_EXPORT_FILE}."
        )
    export = files.read_json(folder / _EXPORT_FILE)
    if export.get("format") != exported_run.FORMAT:
        raise ExperimentError(
            f"{folder}: expected an export of format {exported_run.FORMAT}; "
            f"got {export.get('format')}."
        )
    return export


def check_same(folder, config):
    """Refuses a folder that was exported with other settings.

    Args:
        folder: a folder that `write` wrote.
        config: a `Config`.

    Raises:
        ExperimentError: if its runs are not those of the configuration.
    """
    wanted = [runner.folder_of(folder, run) for run in config.runs()]
    names = [path.relative_to(folder).as_posix() for path in wanted]
    found = read(folder)["runs"]
    if found != names:
        raise ExperimentError(
            f"--output_dir: {folder} holds {', '.join(found)}; expected "
            f"{', '.join(names)}. Choose another folder, or remove that one."
        )
    for run_config, path in zip(config.runs(), wanted):
        exported = files.read_json(path / "run.json")["config"]
        runner.check_settings(run_config, exported, path)


def read_array(folder, export, name):
    """Reads one of the arrays of the data."""
    return np.concatenate(
        [arrays.read(folder / path)["part"] for path in export["data"][name]]
    )


def _arrays(data):
    arrays = {
        "train_labels": data.train_labels,
        "test_labels": data.test_labels,
    }
    for name in ("train", "test", "outlier"):
        images = export_images.encode(getattr(data, f"{name}_images"))
        arrays[f"{name}_images"] = images.codes
        arrays[f"{name}_values"] = images.values
    return arrays


def _write_data(folder, arrays):
    """Returns the files of each array, their paths seen from the export."""
    folder.mkdir()
    found = {}
    for name, array in arrays.items():
        parts = np.array_split(array, -(-array.nbytes // _PART_BYTES))
        found[name] = []
        for number, part in enumerate(parts):
            path = folder / f"{name}_{number}.npz"
            np.savez_compressed(path, part=part)
            found[name].append(f"{folder.name}/{path.name}")
    return found


def _write_run(folder, config, data, arrays, carry_all):
    folder.mkdir(parents=True)
    model = building.build(config, data)
    train = export_programs.train_epoch(config, model, data)
    predict = export_programs.predict(config, model, data)
    variables = _variables_of(model)
    store, programs = {}, {}
    specs = {name: _spec(array) for name, array in arrays.items()}
    order = tf.TensorSpec(
        (config.num_members, len(data.train_images)), tf.int32
    )
    of_epoch = {
        "order": order,
        "epoch": tf.TensorSpec((), tf.int64),
        "num_steps": tf.TensorSpec((), tf.int32),
    }
    numbers = {id(variable): i for i, (_, variable) in enumerate(variables)}
    for name, function in (("train", train), ("predict", predict)):
        programs[name] = _write_program(
            folder / f"{name}.mlir.gz",
            function,
            {**specs, **of_epoch},
            [variable for _, variable in variables],
            numbers,
            store,
        )
    starts = [
        _start(number, *variable, carry_all, store)
        for number, variable in enumerate(variables)
    ]
    np.savez_compressed(folder / "values.npz", **store)
    per_epoch = run_configs.steps_per_epoch(config)
    run = {
        "config": dataclasses.asdict(config),
        "num_steps": config.num_steps or config.epochs * per_epoch,
        "steps_per_epoch": per_epoch,
        "epoch_keys": export_programs.epoch_keys(config).tolist(),
        "programs": programs,
        "variables": starts,
        "facts": runner.facts(model, data),
        "num_classes": data.num_classes,
    }
    run["id"] = _id_of(run, folder)
    files.write_json(folder / "run.json", run)


def _write_program(path, function, specs, variables, numbers, store):
    arguments = inspect.signature(function.python_function).parameters
    program = export_lowering.lower(
        function, [specs[name] for name in arguments], variables
    )
    # The time of writing would make each export another.
    path.write_bytes(gzip.compress(program.text.encode("utf-8"), mtime=0))
    parameters = []
    for parameter in program.parameters:
        if isinstance(parameter, str):
            parameters.append(parameter)
        elif isinstance(parameter, tf.Variable):
            parameters.append(numbers[id(parameter)])
        else:
            key = f"constant_{len(store)}"
            store[key] = parameter
            parameters.append(key)
    return {
        "file": path.name,
        "parameters": parameters,
        "results": program.results,
        "updates": program.updates,
    }


def _start(number, path, variable, carry_all, store):
    value = variable.numpy()
    start = export_values.start_of(path, value, carry_all)
    if start["kind"] == "values":
        store[f"variable_{number}"] = value
    shape, dtype = list(value.shape), variable.dtype.name
    return {"name": path, "shape": shape, "dtype": dtype, **start}


def _variables_of(model):
    """Returns the path and the `tf.Variable` of all that a model holds."""
    found = {}
    owned = [variable for x in model.metrics for variable in x.variables]
    for variable in [*model.variables, *model.optimizer.variables, *owned]:
        path = getattr(variable, "path", variable.name)
        if isinstance(variable, keras.Variable):
            variable = variable.value
        found.setdefault(id(variable), (path, variable))
    return list(found.values())


def _spec(array):
    return tf.TensorSpec(array.shape, array.dtype)


def _id_of(run, folder):
    """Returns what tells a run from any other, programs and values too."""
    digest = hashlib.sha256(json.dumps(run, sort_keys=True).encode())
    for name in sorted(path.name for path in folder.iterdir()):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()

"""Draws and numbers of one trained run's posterior, made now or before."""

import json
import pathlib

import numpy as np

from experiments import files
from experiments import run_config
from experiments import run_names
from experiments.errors import ExperimentError
from experiments.posterior import measures as posterior_measures

_METHODS = ("ensemble", "bbb", "mnf", "bbh")
_OTHERS = {
    "map": "MAP has one set of weights",
    "dropout": "MC dropout draws masks and has one set of weights",
}
# Fewer say nothing of a covariance.
_FEWEST_DRAWS = 3


def read_config(folder):
    """Reads the configuration of a run whose weights are random.

    Args:
        folder: the folder of a run.

    Returns:
        The configuration, a dictionary.

    Raises:
        ExperimentError: if it is no run, or one of a method without draws of
            weights.
    """
    path = pathlib.Path(folder) / "config.json"
    if not path.exists():
        raise ExperimentError(
            "--run: expected the folder of a run, such as "
            f"runs/demo/bbh/seed_0; got {folder}, without config.json."
        )
    config = files.read_json(path)
    method = run_config.read(config).method
    if method not in _METHODS:
        raise ExperimentError(
            f"--run: expected a run of {', '.join(_METHODS)}; got {folder}: "
            f"{_OTHERS[method]}."
        )
    return config


def draws(folder, config, output, settings):
    """Draws a run's weights, or reads the draws made before.

    Args:
        folder: the folder of a run.
        config: its configuration.
        output: folder that draws are kept in, a `pathlib.Path`.
        settings: dictionary with `"num_draws"` and `"num_chosen"`.

    Returns:
        A `posterior_draws.Draws`.

    Raises:
        ExperimentError: if there is no checkpoint, an ensemble is too small,
            or the draws before are of another run.
    """
    state_file = pathlib.Path(folder) / "state.json"
    if not state_file.exists():
        raise ExperimentError(
            f"--run: {folder} has no checkpoint; expected a folder that its "
            "experiment wrote on this machine."
        )
    step = files.read_json(state_file).get("step")
    made_of = json.dumps(
        {"config": config, "step": step, **settings}, sort_keys=True
    )
    # Imported here, so that a wrong flag is told before TensorFlow starts.
    from experiments.posterior import draws as posterior_draws

    path = output / f"draws_{run_names.file_name(config)}.npz"
    if path.exists():
        found = dict(np.load(path))
        if str(found.pop("made_of")) != made_of:
            raise ExperimentError(
                f"--output_dir: {path} holds draws of other settings or of "
                "another run. Choose another folder, or remove that one."
            )
        found["num_filters"] = int(found["num_filters"])
        return posterior_draws.Draws(**found)
    from experiments import checkpoints

    print(f"Drawing weights of {folder}.", flush=True)
    model, _ = checkpoints.Checkpoints(pathlib.Path(folder)).load()
    drawn = posterior_draws.collect(model, **settings)
    if len(drawn.kernel) < _FEWEST_DRAWS:
        raise ExperimentError(
            f"--run: expected at least {_FEWEST_DRAWS} members; got {folder} "
            f"with {len(drawn.kernel)}."
        )
    with files.replacing(path) as temporary:
        np.savez_compressed(temporary, made_of=made_of, **drawn._asdict())
    return drawn


def measure(drawn):
    """Computes what the tables say of a run.

    Args:
        drawn: a `posterior_draws.Draws`.

    Returns:
        Dictionary for `results.json`: sizes, quantiles of the standard
        deviations, and under `"kernel"` and `"chosen"` what
        `posterior_measures.shapes` says of the first kernel and of weights
        chosen from all; under `"kernel"` also what `dependence` says.
    """
    quantiles = np.quantile(drawn.std, [0.05, 0.25, 0.5, 0.75, 0.95])
    return {
        "num_draws": len(drawn.kernel),
        "num_weights": len(drawn.std),
        "kernel_size": drawn.kernel.shape[1],
        "num_chosen": drawn.chosen.shape[1],
        "median_std": float(quantiles[2]),
        "std_quantiles": quantiles.tolist(),
        "kernel": {
            **posterior_measures.shapes(drawn.kernel),
            **posterior_measures.dependence(drawn.kernel, drawn.num_filters),
        },
        "chosen": posterior_measures.shapes(drawn.chosen),
    }

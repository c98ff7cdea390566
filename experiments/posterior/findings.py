"""Draws and numbers of one trained run's posterior, made now or before."""

import json
import math
import pathlib

import numpy as np

from experiments import arrays
from experiments import files
from experiments import lazy
from experiments import run_config
from experiments import run_names
from experiments import trained_runs
from experiments.errors import ExperimentError
from experiments.methods import METHODS
from experiments.methods import mnf
from experiments.posterior import measures as posterior_measures

bbh = lazy.import_module("bbh_tf")
posterior_draws = lazy.import_module("experiments.posterior.draws")

# An ensemble has no prior of weights that it draws, and that of a Bayesian
# hypernetwork is over scales.
_NO_KL_OF_WEIGHTS = ("ensemble", "bhn")
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
    fixed = METHODS[config["method"]].fixed_weights
    if fixed:
        drawn = [x for x in METHODS if not METHODS[x].fixed_weights]
        raise ExperimentError(
            f"--run: expected a run of {', '.join(drawn)}; got {folder}: "
            f"{fixed}."
        )
    return config


def path_of(output, config):
    """Returns the file of a run's draws."""
    return output / f"draws_{run_names.file_name(config)}.npz"


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
    made_of = json.dumps(
        {
            "config": config,
            "step": _step(folder),
            # A run made anew has the same settings and steps.
            "made": _made(folder),
            "kept": posterior_draws.Draws._fields,
            **settings,
        },
        sort_keys=True,
    )
    path = path_of(output, config)
    if path.exists():
        found = arrays.read(path)
        if str(found.pop("made_of")) != made_of:
            raise ExperimentError(
                f"--output_dir: {path} holds draws of other settings or of "
                "another run. Choose another folder, or remove that one."
            )
        found["num_filters"] = int(found["num_filters"])
        return posterior_draws.Draws(**found)
    print(f"Drawing weights of {folder}.", flush=True)
    model = trained_runs.load(pathlib.Path(folder))
    drawn = posterior_draws.collect(model, **settings)
    if len(drawn.kernel) < _FEWEST_DRAWS:
        raise ExperimentError(
            f"--run: expected at least {_FEWEST_DRAWS} members; got {folder} "
            f"with {len(drawn.kernel)}."
        )
    with files.replacing(path) as temporary:
        np.savez_compressed(temporary, made_of=made_of, **drawn._asdict())
    return drawn


def _step(folder):
    """Returns at which step a run is, or was when it was done."""
    folder = pathlib.Path(folder)
    if trained_runs.has_model(folder):
        return files.read_json(folder / "state.json").get("step")
    if not (folder / "results.json").exists():
        raise ExperimentError(
            f"--run: {folder} has no model; expected a folder that its "
            "experiment wrote on this machine."
        )
    config = run_config.read(files.read_json(folder / "config.json"))
    return run_config.num_steps(config)


def _made(folder):
    """Returns what tells a run that is done from the same one made anew."""
    path = pathlib.Path(folder) / "results.json"
    if not path.exists():
        return None
    results = files.read_json(path)
    return {key: results.get(key) for key in ("provenance", "seconds")}


def is_released_mnf(config):
    """Says whether a run has the authors' prior; see `methods.mnf`.

    Args:
        config: the run's configuration, a dictionary.
    """
    return config["method"] == "mnf" and config.get("released_mnf", False)


def learns_prior_scale(config):
    """Says whether the prior of each tensor has a scale of its own.

    Args:
        config: the run's configuration, a dictionary.
    """
    return config.get("learned_prior_scale", False)


def prior_std(config):
    """Returns the standard deviation of a run's prior of weights.

    Args:
        config: the run's configuration, a dictionary.

    Returns:
        A number; None without a prior of weights, or of one that all have.
    """
    if config["method"] in _NO_KL_OF_WEIGHTS or learns_prior_scale(config):
        return None
    if is_released_mnf(config):
        return math.sqrt(mnf.RELEASED_VARIANCE)
    return config["prior_scale"]


def trained_kl(folder, config):
    """Reads the KL that a run was trained with.

    Args:
        folder: the folder of the run.
        config: its configuration, a dictionary.

    Returns:
        A number, nats; None without a KL of all weights.
    """
    # The authors' leaves the convolutions out.
    if is_released_mnf(config):
        return None
    path = pathlib.Path(folder) / "results.json"
    if not path.exists():
        return None
    return files.read_json(path).get("final", {}).get("kl")


def measure(drawn, config):
    """Computes what the tables say of a run.

    Args:
        drawn: a `posterior_draws.Draws`.
        config: the run's configuration.

    Returns:
        Dictionary for `results.json`: sizes, quantiles of the standard
        deviations, `"least_kl"` (None where `prior_std` is), and under
        `"kernel"` and `"chosen"` what
        `posterior_measures.shapes` says of the first kernel and of weights
        chosen from all; under `"kernel"` also what `dependence` says.
    """
    quantiles = np.quantile(drawn.std, [0.05, 0.25, 0.5, 0.75, 0.95])
    least_kl = None
    scale = prior_std(config)
    if scale is not None:
        least_kl = bbh.divergences.least_kl(
            drawn.mean, drawn.std**2, len(drawn.kernel), scale=scale
        )
    return {
        "num_draws": len(drawn.kernel),
        "num_weights": len(drawn.std),
        "kernel_size": drawn.kernel.shape[1],
        "num_chosen": drawn.chosen.shape[1],
        "median_std": float(quantiles[2]),
        "std_quantiles": quantiles.tolist(),
        "least_kl": least_kl,
        "kernel": {
            **posterior_measures.shapes(drawn.kernel),
            **posterior_measures.dependence(drawn.kernel, drawn.num_filters),
        },
        "chosen": posterior_measures.shapes(drawn.chosen),
    }

"""All figures of the runs in an output folder, made at once.

Each goes to a folder of its own beside the runs: `adversarial` (Figures 3 and
4), `posterior` (Figures 5 to 9) and `shift` (turned and mixed digits,
calibration).
"""

import pathlib
import sys

from experiments import lazy
from experiments import paper_tables
from experiments import trained_runs
from experiments.methods import METHODS
from experiments.posterior import findings as posterior_findings
from experiments.shift import runs as shift_runs
from experiments.shift import settings as shift_settings

attacked = lazy.import_module("experiments.robustness.attacked")
posterior_shown = lazy.import_module("experiments.posterior.shown")
shift_shown = lazy.import_module("experiments.shift.shown")

# What takes seconds.
_SMOKE = {
    "adversarial": {
        "epsilons": (0.0, 0.2),
        "num_images": 20,
        "num_samples": 2,
    },
    "posterior": {"num_draws": 20, "num_chosen": 50},
    "shift": {"num_images": 10},
}


def make(output_dir, data_dir, smoke=False):
    """Makes what figures there are of all runs in a folder.

    What was made before of a run is read, so that its model need not be
    there any more. Runs with neither are left out, which is said.

    Args:
        output_dir: folder of a table's runs.
        data_dir: folder of prepared TFDS data, or None.
        smoke: whether few images and draws will do.

    Raises:
        ExperimentError: if a figure's folder holds something else.
    """
    trained = trained_runs.find([output_dir])
    for name, choose, path_of, draw in (
        ("adversarial", lambda _: True, _path_of_curves, _attack),
        ("posterior", _has_posterior, posterior_findings.path_of, _show),
        ("shift", _can_be_turned, shift_runs.path_of, _turn),
    ):
        folder = pathlib.Path(output_dir) / name
        chosen = []
        for run, results in trained:
            config = results["config"]
            if not choose(config):
                continue
            if trained_runs.has_model(run) or path_of(folder, config).exists():
                chosen.append((run, results))
            else:
                print(
                    f"{folder}: without {run}, whose model is not kept.",
                    file=sys.stderr,
                )
        if chosen:
            draw(chosen, folder, data_dir, _SMOKE[name] if smoke else {})


def _path_of_curves(folder, config):
    return folder / f"{paper_tables.run_name(config)}.json"


def _has_posterior(config):
    if METHODS[config["method"]].fixed_weights:
        return False
    # An ensemble's members are its draws, and two say nothing.
    return config["method"] != "ensemble" or config["num_members"] > 2


def _can_be_turned(config):
    return config["dataset"] in shift_settings.DATASETS


def _attack(trained, folder, data_dir, settings):
    data = paper_tables.data_of(trained[0][1]["config"])
    attacked.make(trained, data, data_dir, folder, **settings)


def _show(trained, folder, _, settings):
    posterior_shown.make([str(run) for run, _ in trained], folder, **settings)


def _turn(trained, folder, data_dir, settings):
    shift_shown.make(trained, data_dir, folder, **settings)

r"""Adds measures to results of runs of an earlier version, from predictions.

python -m experiments.measure_again --results=results/mnist_methods \
    --predictions=runs/bbh --data_dir=<TFDS folder>

For each `<row>/seed_<n>/results.json` in `--results` whose `predictions.npz`
lies at the same place in `--predictions` (by default the same folder), it
computes what a table shows today and adds what was not measured then. What is
there stays as it is, and must be what the predictions say: predictions of
another run are refused, and then nothing is written.
"""

import pathlib

import numpy as np
from absl import flags

from experiments import arrays
from experiments import command_line
from experiments import files
from experiments import image_data
from experiments import lazy
from experiments import provenance
from experiments.errors import ExperimentError

evaluation = lazy.import_module("experiments.evaluation")

_RESULTS = flags.DEFINE_string("results", None, "Folder with results of runs.")
_PREDICTIONS = flags.DEFINE_string(
    "predictions", None, "Folder with the runs' predictions; none: --results."
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of prepared TFDS data; none: TFDS' own."
)
# Predictions are kept in float32, and measures were made before that.
_TOLERANCE = 1e-3
_PARTS = ("test", "outlier")
_KEYS = ("probabilities", "entropy", "mutual_information")
_ARRAYS = [f"{name}_{key}" for name in _PARTS for key in _KEYS]
_SURE_MEASURES = ("error_percent", "nll", "brier", "in_auc", "outlier_auc")


def run():
    """Measures all runs, then writes what is new."""
    if _RESULTS.value is None:
        raise ExperimentError("--results: expected a folder; got none.")
    root = pathlib.Path(_RESULTS.value)
    other = pathlib.Path(_PREDICTIONS.value or root)
    paths = sorted(root.glob("*/seed_*/results.json"))
    if not paths:
        raise ExperimentError(
            f"--results: expected <row>/seed_<n>/results.json in {root}; got "
            "none."
        )
    changed, kept = [], 0
    for path in paths:
        place = other / path.parent.relative_to(root) / "predictions.npz"
        if not place.exists():
            continue
        kept += 1
        result = files.read_json(
            path, ("config", "measures"), "the results of a run"
        )
        added = add(result, arrays.read(place), place, _DATA_DIR.value)
        if added:
            changed.append((path, result, added))
    if not kept:
        raise ExperimentError(
            "--predictions: expected <row>/seed_<n>/predictions.npz of a run "
            f"of --results in {other}; got none."
        )
    for path, result, added in changed:
        files.write_json(path, result)
        print(f"{path}: {', '.join(added)}")
    print(
        f"{len(changed)} of {len(paths)} results have new measures; "
        f"predictions of {kept} were there."
    )


def add(result, saved, place, data_dir=None):
    """Adds what predictions say and a result does not.

    Args:
        result: a result dictionary, which is changed: its measures, and
            `"measured_again"`, which of them and at which commit.
        saved: arrays of `predictions.npz`.
        place: its path, for refusals.
        data_dir: where the data set lies, if labels were not kept.

    Returns:
        Sorted list of the names of the measures that are new.

    Raises:
        ExperimentError: if the predictions are of another run.
    """
    lacking = sorted({*_ARRAYS} - saved.keys())
    if lacking:
        raise ExperimentError(
            f"{place}: expected {', '.join(_ARRAYS)}; got no "
            f"{', '.join(lacking)}."
        )
    labels = saved.get("test_labels")
    if labels is None:
        labels = _labels(result["config"], data_dir)
    num_test, num_classes = saved["test_probabilities"].shape
    if len(labels) != num_test:
        raise ExperimentError(
            f"{place}: expected predictions of {len(labels)} test images, "
            f"those of {result['config']['dataset']}; got {num_test}."
        )
    predictives = {
        name: {key: saved[f"{name}_{key}"].astype(np.float64) for key in _KEYS}
        for name in _PARTS
    }
    found = evaluation.measures(
        predictives["test"], labels, predictives["outlier"], num_classes
    )
    measures = result["measures"]
    for name in _SURE_MEASURES:
        known = measures.get(name)
        if known is not None and not np.isclose(
            found[name], known, rtol=_TOLERANCE, atol=_TOLERANCE
        ):
            raise ExperimentError(
                f"{place}: expected predictions of the run whose {name} is "
                f"{known:.6g}; got those of one with {found[name]:.6g}."
            )
    added = sorted(found.keys() - measures.keys())
    if added:
        measures.update({name: found[name] for name in added})
        result["measured_again"] = {
            "measures": added,
            "commit": provenance.describe()["commit"],
        }
    return added


def _labels(config, data_dir):
    """Returns the labels of the whole test set, where no others were used."""
    if config.get("num_validation") or config.get("scale") == "smoke":
        raise ExperimentError(
            "--predictions: expected the labels beside predictions of a run "
            "on held-out or few images; got a file of an earlier version, "
            "without."
        )
    return image_data.load(config["dataset"], data_dir).test_labels


if __name__ == "__main__":
    command_line.start(run)

"""Results of an earlier version gain what their predictions say."""

import json

import numpy as np
import pytest

from experiments import evaluation
from experiments import files
from experiments import measure_again
from experiments.errors import ExperimentError
from tests.experiments import commands

_NUM_TEST, _NUM_OUTLIERS = 40, 30
_NEW = ["augrc_per_mille", "aurc_per_mille"]


@pytest.fixture(name="made")
def fixture_made(tmp_path):
    """A run of today, and the result as an earlier version left it."""
    generator = np.random.default_rng(0)
    labels = generator.integers(3, size=_NUM_TEST)
    predictives = {
        name: evaluation.predictive(generator.normal(size=(4, count, 3)))
        for name, count in (("test", _NUM_TEST), ("outlier", _NUM_OUTLIERS))
    }
    whole = evaluation.measures(
        predictives["test"], labels, predictives["outlier"], 3
    )
    folder = tmp_path / "map" / "seed_0"
    folder.mkdir(parents=True)
    old = {key: whole[key] for key in whole if key not in _NEW}
    config = {"dataset": "digits", "scale": "short", "num_validation": 0}
    files.write_json(
        folder / "results.json", {"config": config, "measures": old}
    )
    np.savez(
        folder / "predictions.npz",
        test_labels=labels,
        **{
            f"{name}_{key}": value.astype(np.float32)
            for name, found in predictives.items()
            for key, value in found.items()
        },
    )
    return folder, whole


def test_a_result_gains_what_it_lacks_and_keeps_the_rest(made, tmp_path):
    folder, whole = made
    before = files.read_json(folder / "results.json")
    done = commands.call("measure_again", f"--results={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert "augrc_per_mille, aurc_per_mille\n1 of 1 results" in done.stdout
    after = files.read_json(folder / "results.json")
    for name, value in whole.items():
        assert after["measures"][name] == pytest.approx(value, rel=1e-4)
    for name, value in before["measures"].items():
        assert after["measures"][name] == value
    assert after["measured_again"]["measures"] == _NEW


def test_files_that_are_none_of_a_run_are_named(made, tmp_path):
    folder, _ = made
    result = files.read_json(folder / "results.json")
    saved = dict(np.load(folder / "predictions.npz"))
    del saved["outlier_entropy"]
    with pytest.raises(ExperimentError, match="here: .* no outlier_entropy"):
        measure_again.add(result, saved, "here")
    files.write_json(folder / "results.json", {"config": {}})
    done = commands.call("measure_again", f"--results={tmp_path}")
    commands.check_refused(done, "results.json: expected the results of a run")


def test_predictions_of_another_run_are_refused(made):
    folder, _ = made
    result = files.read_json(folder / "results.json")
    saved = dict(np.load(folder / "predictions.npz"))
    saved["test_labels"] = (saved["test_labels"] + 1) % 3
    before = json.dumps(result)
    with pytest.raises(ExperimentError, match="whose error_percent is .* got"):
        measure_again.add(result, saved, "here")
    assert json.dumps(result) == before
    del saved["test_labels"]
    # The digits have 360 test images.
    with pytest.raises(ExperimentError, match="here: expected .* 360 .* 40"):
        measure_again.add(result, saved, "here")
    result["config"]["num_validation"] = 100
    with pytest.raises(ExperimentError, match="expected the labels beside"):
        measure_again.add(result, saved, "here")


def test_a_folder_without_predictions_is_named(made, tmp_path):
    flags = (f"--results={tmp_path}", f"--predictions={tmp_path / 'none'}")
    done = commands.call("measure_again", *flags)
    commands.check_refused(done, "--predictions: expected <row>/seed_<n>/pred")


def test_a_folder_without_results_is_named(tmp_path):
    done = commands.call("measure_again", f"--results={tmp_path}")
    commands.check_refused(done, "--results: expected <row>/seed_<n>/results")

"""Turned and mixed digits and calibration, as a person looks at them."""

import json

import numpy as np
import pytest

import bbh_tf as bbh
from experiments import building
from experiments import checkpoints
from experiments import evaluation
from experiments import files
from experiments import trained_runs
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from experiments.shift import images as shift_images
from experiments.shift import predictions as shift_predictions
from experiments.shift import runs as shift_runs
from tests.experiments import commands


@pytest.fixture(name="runs", scope="module")
def fixture_runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    commands.write_untrained(folder, ("map", "bbb"), num_prediction_samples=3)
    return folder


def test_figures_and_tables_of_all_runs(runs, tmp_path):
    done = commands.call(
        "mnist_shift",
        f"--runs={runs}",
        f"--output_dir={tmp_path}",
        "--num_images=12",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Predicting with") == 2
    found = exhibit.read(tmp_path)
    assert [figure.file for figure in found["figures"]] == [
        "calibration.png",
        "turned_test_set.png",
        "turned_digits.png",
        "mixed_digits.png",
    ]
    calibration, temperature, turned, digits = found["tables"]
    assert [len(row) for row in temperature.rows] == [6, 6]
    assert [row[:2] for row in calibration.rows] == [
        ["MAP", "1"],
        ["Bayes by Backprop", "3"],
    ]
    assert len(turned.rows) == 8
    assert [row[0] for row in digits.rows] == ["MAP", "Bayes by Backprop"]
    assert "not the authors'" in " ".join(found["notes"])
    # What was found is there, so that nothing is predicted again.
    path = tmp_path / "mnist_methods_bbb_seed_0.json"
    before = json.loads(path.read_text())
    name, (folder, results) = list(
        shift_runs.named(trained_runs.find([runs])).items()
    )[1]
    assert name == "Bayes by Backprop"
    settings = {"indices": None, "published": False, "num_images": 12}
    again = shift_runs.analyse(folder, results, (), settings, tmp_path, None)
    assert again == before
    # A file of an earlier version is made anew.
    del again["found"]["temperature"]
    files.write_json(path, again)
    assert files.read_json(path) == again
    with pytest.raises(TypeError, match="analyse"):
        shift_runs.analyse(folder, results, (), settings, tmp_path, None)
    files.write_json(path, before)
    with pytest.raises(ExperimentError, match="of other settings"):
        shift_runs.analyse(folder, results, (), settings, tmp_path, 7)


def test_a_folder_that_no_run_needs_is_refused(runs, tmp_path):
    flags = (f"--runs={runs}", f"--output_dir={tmp_path}", "--data_dir=a")
    done = commands.call("mnist_shift", *flags)
    commands.check_refused(done, "--data_dir: expected none with digits")


def test_a_file_that_is_none_of_these_is_named(runs, tmp_path):
    path = tmp_path / "mnist_methods_map_seed_0.json"
    path.write_text("{}")
    folder, results = trained_runs.find([runs])[1]
    assert results["config"]["row"] == "map"
    with pytest.raises(ExperimentError, match="expected predictions that"):
        shift_runs.analyse(folder, results, (), {}, tmp_path, None)


def test_predictions_are_the_models(runs):
    model, _ = checkpoints.Checkpoints(runs / "bbb" / "seed_0").load()
    data = bbh.datasets.load("digits")
    images, labels = data.test_images, data.test_labels
    series = shift_images.series(images, labels, None)
    turned = [shift_images.turn(images[:5], x) for x in shift_images.ANGLES]
    found = shift_predictions.analyse(
        model, series, turned, labels[:5], images, labels
    )
    assert found["num_draws"] == 3
    logits = building.predict_samples(model, series[-1].images)
    expected = evaluation.predictive(logits)
    for key, value in expected.items():
        np.testing.assert_allclose(found["series"][-1][key], value, atol=1e-5)
    each = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(
        found["series"][-1]["upper"], np.quantile(each, 0.9, axis=0), atol=1e-5
    )
    angle = found["turned"][-2]
    assert angle["angle"] == 80
    expected = evaluation.predictive(
        building.predict_samples(model, turned[-2])
    )
    probabilities = expected["probabilities"]
    assert angle["nll"] == pytest.approx(
        bbh.uncertainty.negative_log_likelihood(probabilities, labels[:5]),
        abs=1e-5,
    )
    assert angle["entropy"] == pytest.approx(
        np.mean(expected["entropy"]), abs=1e-5
    )
    test = evaluation.predictive(building.predict_samples(model, images))
    assert found["calibration"]["ece"] == pytest.approx(
        bbh.uncertainty.expected_calibration_error(
            test["probabilities"], labels
        ),
        abs=1e-5,
    )
    assert found["temperature"]["nll"] == pytest.approx(
        bbh.uncertainty.negative_log_likelihood(
            test["probabilities"][1::2], labels[1::2]
        ),
        abs=1e-5,
    )
    assert sum(found["bins"]["mass"]["count"]) == len(labels)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--output_dir=x"], "--runs: expected folders with results of runs"),
        (["--output_dir=x", "--indices=1,2"], "--indices: expected four"),
    ],
)
def test_a_mistake_is_one_line_and_status_1(flags, message):
    done = commands.call("mnist_shift", *flags)
    commands.check_refused(done, message)


def test_results_that_are_none_of_a_run_are_named(tmp_path):
    there = tmp_path / "map" / "seed_0"
    there.mkdir(parents=True)
    files.write_json(there / "results.json", {})
    with pytest.raises(ExperimentError, match="results.json: .* lacks"):
        trained_runs.find([tmp_path])


def test_runs_on_other_data_are_refused(tmp_path):
    for row, dataset in (("map", "digits"), ("bbb", "cifar5")):
        there = tmp_path / row / "seed_0"
        there.mkdir(parents=True)
        files.write_json(
            there / "results.json",
            {"config": {"method": row, "seed": 0, "dataset": dataset}},
        )
    with pytest.raises(ExperimentError, match="got cifar5, digits"):
        shift_runs.named(trained_runs.find([tmp_path]))
    (there / "results.json").unlink()
    with pytest.raises(ExperimentError, match="expected each run once"):
        shift_runs.named(2 * trained_runs.find([tmp_path]))

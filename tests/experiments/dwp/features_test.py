"""Features of fixed convolutions, in small."""

import json

import numpy as np
import pytest

from experiments.dwp import features_run
from experiments.dwp import settings
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from tests.experiments import commands
from tests.experiments.dwp import small


def _run(inputs, folder, starts, scales, num_runs, **changes):
    config = settings.FeaturesConfig(
        "digits", *inputs, **{"epochs": 2, "num_train": 60, **changes}
    )
    runs = settings.FeaturesRuns(starts, scales, num_runs)
    return features_run.run(config, runs, None, folder, "command")


def test_runs_are_added_and_do_not_depend_on_each_other(tmp_path, capsys):
    inputs = small.write(tmp_path)
    one, whole = tmp_path / "one", tmp_path / "whole"
    one.mkdir()
    whole.mkdir()
    alone = _run(inputs, one, ("filters",), (0.25,), 1)
    _run(inputs, whole, ("xavier", "filters"), (1.0,), 1)
    found = _run(inputs, whole, ("xavier", "filters"), (1.0, 0.25), 1)
    assert len(found) == 4
    by_run = {
        (r["run"]["initialisation"], r["run"]["scale"]): r["found"]
        for r in found
    }
    beside = by_run["filters", 0.25]
    for name in ("accuracy", "nll", "train_nll"):
        assert alone[0]["found"][name] == beside[name]
    # 8 and 32 filters of 2 x 2 places; they differ from start to start.
    assert beside["num_features"] == 32
    assert by_run["filters", 1.0]["num_features"] == 128
    assert by_run["xavier", 0.25]["nll"] != beside["nll"]
    page = exhibit.read(whole)
    assert "digits, the first 60 training images: conv" in page["notes"][0]
    accuracies, differences = page["tables"]
    assert accuracies.heading == ["start", "k = 1/4", "k = 1"]
    assert accuracies.rows[0][1] == f"{beside['accuracy']:.4f} (1)"
    ((_, at_quarter, _),) = differences.rows
    expected = 100 * (beside["accuracy"] - by_run["xavier", 0.25]["accuracy"])
    found = float(at_quarter.replace("−", "-"))
    assert found == pytest.approx(expected, abs=0.0051)
    assert "learned kernels" in capsys.readouterr().out
    with pytest.raises(ExperimentError, match=r"other settings \(epochs\)"):
        _run(inputs, whole, ("xavier",), (1.0,), 1, epochs=3)


def test_features_are_standardised_by_those_of_the_training_images():
    generator = np.random.default_rng(0)
    train, test = (
        (5 + 3 * generator.normal(size=(count, 4))).astype(np.float32)
        for count in (50, 30)
    )
    train[:, 2], test[:, 2] = 0.1, 0.7
    both = features_run._standardized(train, test, "each")
    np.testing.assert_array_equal(both[0][:, 2], 0)
    np.testing.assert_array_equal(both[1][:, 2], 0)
    kept = [0, 1, 3]
    for found, given in zip(both, (train, test)):
        of_training = train[:, kept].astype(np.float64)
        expected = (given[:, kept] - of_training.mean(0)) / of_training.std(0)
        np.testing.assert_allclose(found[:, kept], expected, atol=1e-5)
    for found, given in zip(
        features_run._standardized(train, test, "all"), (train, test)
    ):
        np.testing.assert_allclose(found, given / train.std(), rtol=1e-5)


def test_more_images_than_there_are_are_refused(tmp_path):
    with pytest.raises(ExperimentError, match="--num_train: .* 1437; got 1438"):
        _run(((), ()), tmp_path, ("filters",), (1.0,), 1, num_train=1438)


def test_the_head_learns(tmp_path):
    inputs = small.write(tmp_path)
    found = _run(
        inputs, tmp_path, ("filters",), (1.0,), 1, epochs=40, num_train=None
    )
    assert np.isfinite(found[0]["found"]["nll"])
    assert found[0]["found"]["accuracy"] > 0.85


def test_convolutions_may_train_too(tmp_path):
    folders = [tmp_path / name for name in ("fixed", "trained", "again")]
    found = []
    for folder, scales in zip(folders, ((0.125,), (0.25, 0.125), (0.125,))):
        folder.mkdir()
        runs = _run(
            ((), ()),
            folder,
            ("xavier",),
            scales,
            1,
            epochs=40,
            num_train=600,
            trains="dense" if folder is folders[0] else "all",
        )
        (whole,) = (x for x in runs if x["run"]["scale"] == 0.125)
        found.append(whole["found"])
        # Xavier's needs no kernels: none are made.
        assert not (folder / "prior").exists()
    fixed, trained, again = found
    # Too few for what fixed kernels can say.
    assert trained["num_features"] == fixed["num_features"] == 16
    assert trained["train_accuracy"] > fixed["train_accuracy"] + 0.05
    # Each run begins anew.
    assert trained["nll"] == again["nll"]
    page = exhibit.read(folders[1])
    assert "convolutions train too, from" in page["notes"][0]
    assert "with convolutions that train too" in page["tables"][0].caption


def test_a_folder_of_before_a_setting_has_its_default(tmp_path):
    inputs = small.write(tmp_path)
    _run(inputs, tmp_path, ("xavier",), (0.25,), 1)
    place = tmp_path / "settings.json"
    older = json.loads(place.read_text())
    del older["trains"]
    place.write_text(json.dumps(older))
    _run(inputs, tmp_path, ("xavier",), (0.25,), 1)
    place.write_text(json.dumps(older))
    with pytest.raises(ExperimentError, match=r"other settings \(trains\)"):
        _run(inputs, tmp_path, ("xavier",), (0.25,), 1, trains="all")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--scales=1/0", "above 0, at most 4, each once; got 1/0."),
        ("--initialisations=", "each once; got none."),
        ("--learning_rate=0", "--learning_rate: expected 0 < x < 1; got 0.0."),
        ("--dataset=mnist", "--kernels: expected a file for each"),
        (
            "--trains=all --normalization=each",
            "--normalization: expected none beside --trains=all, which",
        ),
        ("--data_dir=b", "--data_dir: expected none with digits, which read"),
        (
            "--initialisations=xavier --preset=released_code",
            "--preset: expected none beside --initialisations; got released",
        ),
    ],
)
def test_wrong_flags_are_told_in_one_line(flags, message):
    done = commands.call("dwp_features", "--output_dir=a", *flags.split())
    commands.check_refused(done, message)

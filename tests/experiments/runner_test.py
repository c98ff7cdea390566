"""An experiment from end to end, stopped and gone on with."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import bbh_tf as bbh
from bbh_tf import randomness
from experiments import building
from experiments import config as configs
from experiments import files
from experiments import paper_tables
from experiments import run_config
from experiments import runner
from experiments import training
from experiments.checkpoints import Checkpoints
from experiments.errors import ExperimentError
from experiments.execution import Execution
from experiments.methods import METHODS

_SAVES_ALWAYS = Execution(checkpoint_seconds=0.0)


def _config(folder, **changes):
    return configs.Config(
        **{
            "table": "mnist_methods",
            "dataset": "digits",
            "rows": ("bbh",),
            "seeds": (0,),
            "scale": "smoke",
            "preset": "paper",
            "output_dir": str(folder),
            "num_prediction_samples": 3,
            "num_steps": 6,
            "checkpoint_seconds": 0.0,
            **changes,
        }
    )


def _silence(*_):
    pass


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return runner.load_data(_config(tmp_path_factory.mktemp("unused")))


@pytest.fixture(autouse=True)
def short_run(monkeypatch):
    # Two steps an epoch, so that six steps are three epochs.
    monkeypatch.setattr(run_config, "_BATCH_SIZE", 100)
    monkeypatch.setattr(training, "_CHECKPOINT_SHARE", float("inf"))


@pytest.mark.parametrize(
    ("table", "row"),
    [
        *[("mnist_methods", row) for row in METHODS],
        ("mnist_architectures", "single"),
        ("mnist_architectures", "sliced"),
        ("mnist_noise", "shared_8"),
        *[
            ("mnist_divergences", row)
            for row in paper_tables.TABLES["mnist_divergences"].rows
            if row != "analytic"
        ],
    ],
)
def test_every_row_runs_and_is_not_run_twice(tmp_path, table, row):
    # Without checkpoints but the last: these are for the tests below.
    config = _config(
        tmp_path,
        table=table,
        rows=(row,),
        num_members=2,
        num_steps=4,
        checkpoint_seconds=60.0,
    )
    (result,) = runner.run(config)
    assert 0 <= result["measures"]["error_percent"] <= 100
    assert paper_tables.place(result["config"]) == (table, row)
    assert len(result["provenance"]["commit"]) > 0
    folder = tmp_path / row / "seed_0"
    metrics = (folder / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in metrics] == [1, 2]
    written = (folder / "results.json").stat().st_mtime_ns
    assert runner.run(config) == [result]
    assert (folder / "results.json").stat().st_mtime_ns == written


@pytest.mark.parametrize("method", ["map", "bbh"])
def test_a_stopped_run_ends_as_one_never_stopped(tmp_path, data, method):
    (config,) = _config(tmp_path, rows=(method,)).runs()
    whole = runner._run_one(
        config, data, tmp_path / "whole", _silence, _SAVES_ALWAYS
    )

    def stop_after(config, stage, epochs):
        if stage == "training" and epochs >= stop / 2:
            raise KeyboardInterrupt

    # What is saved is at an epoch's end, which is alike for all, then in the
    # midst of one.
    for stop in (3, 4) if method == "map" else (4,):
        with pytest.raises(KeyboardInterrupt):
            runner._run_one(
                config, data, tmp_path / "parts", stop_after, _SAVES_ALWAYS
            )
        state = files.read_json(tmp_path / "parts" / "state.json")
        # The stop comes before the step is saved.
        assert state["step"] == stop - 1
    parts = runner._run_one(
        config, data, tmp_path / "parts", _silence, _SAVES_ALWAYS
    )
    assert parts["measures"] == whole["measures"]
    assert parts["final"] == whole["final"]
    saved = [
        np.load(tmp_path / name / "predictions.npz")
        for name in ("whole", "parts")
    ]
    for key in saved[0]:
        np.testing.assert_array_equal(saved[0][key], saved[1][key])


def test_the_rest_of_an_epoch_is_not_the_end_of_annealing(tmp_path, data):
    (config,) = _config(tmp_path, rows=("bbb",), num_steps=3).runs()
    network = keras.Sequential(
        [
            keras.Input(data.train_images.shape[1:]),
            keras.layers.Flatten(),
            bbh.layers.MCDropout(0.5),
            keras.layers.Dense(data.num_classes),
        ]
    )
    annealing = bbh.annealing.Linear(0.5, 9.0)
    model = bbh.models.BayesianModel(network, 200, annealing=annealing)
    model.compile(metrics=["accuracy"], jit_compile=False)
    state = {"step": 1, "seconds": 0.0, "history": [], "metrics": None}
    Checkpoints(tmp_path).save(model, state)
    with pytest.warns(UserWarning) as caught:
        training.train(config, data, tmp_path, _silence, _SAVES_ALWAYS)
    ends = [str(x.message) for x in caught if "fit ended" in str(x.message)]
    # Of two steps, with which the model has seen the data once.
    assert [x.partition(",")[0] for x in ends] == ["fit ended after 1 epochs"]
    assert "up to epoch 9.5 and counted 0.056" in ends[0]


def test_a_run_that_diverges_says_what_is_left(tmp_path, data):
    (config,) = _config(tmp_path, rows=("map",)).runs()
    config = dataclasses.replace(config, learning_rate=1e30)
    for seconds, left in ((1e6, "no checkpoint yet"), (0.0, "is kept")):
        folder = tmp_path / left
        with pytest.raises(ExperimentError, match=f"expected .*finite.*{left}"):
            runner._run_one(
                config,
                data,
                folder,
                _silence,
                Execution(checkpoint_seconds=seconds),
            )
        assert not (folder / "results.json").exists()
    # What is kept has a finite loss behind it.
    model, state = Checkpoints(folder).load()
    assert state["step"] >= 1
    assert all(np.isfinite(x).all() for x in model.get_weights())


def test_released_code_leaves_the_kl_of_mnf_convolutions_out(tmp_path, data):
    (config,) = _config(tmp_path, rows=("mnf",), preset="released_code").runs()
    key = randomness.key(1)
    for released, counts in ((True, False), (False, True)):
        config = dataclasses.replace(config, released_mnf=released)
        layers = {
            layer.name: layer
            for layer in building.build(config, data).random_layers
        }
        assert (float(layers["conv1"].kl(key)) != 0) is counts
        assert float(layers["fc1"].kl(key)) > 0
        variance = np.e if released else 1.0
        assert layers["fc1"].prior_variance == variance


def test_seeds_differ_and_repeat(tmp_path, data):
    # Noise in training and at prediction, and no long time to trace.
    (config,) = _config(tmp_path, rows=("dropout",), num_steps=2).runs()
    other = dataclasses.replace(config, seed=1)
    results = [
        runner._run_one(c, data, tmp_path / name, _silence, Execution())[
            "measures"
        ]
        for name, c in (("a", config), ("b", config), ("c", other))
    ]
    assert results[0] == results[1]
    assert results[0]["nll"] != results[2]["nll"]


def test_a_folder_of_other_settings_is_refused(tmp_path):
    runner.run(_config(tmp_path, rows=("map",)))
    with pytest.raises(ExperimentError, match="with kl_scale=1.0; expected"):
        runner.run(_config(tmp_path, rows=("map",), kl_scale=0.5))


def test_another_seed_of_other_settings_is_refused(tmp_path):
    (config,) = _config(tmp_path, seeds=(1,), global_clipnorm=1.0).runs()
    folder = tmp_path / "bbh" / "seed_1"
    folder.mkdir(parents=True)
    files.write_json(folder / "config.json", dataclasses.asdict(config))
    files.write_json(folder / "state.json", {})
    with pytest.raises(ExperimentError, match="seed_1 holds .*clipnorm=1.0"):
        runner.run(_config(tmp_path, seeds=(0,)))
    other = dataclasses.replace(config, seed=0)
    runner.check_same(other, tmp_path / "bbh" / "seed_0")


def test_results_without_their_config_file_are_of_one_setting(tmp_path):
    # As results/ has them.
    (config,) = _config(tmp_path).runs()
    folder = tmp_path / "bbh" / "seed_0"
    folder.mkdir(parents=True)
    files.write_json(
        folder / "results.json", {"config": dataclasses.asdict(config)}
    )
    runner.check_same(config, folder)
    with pytest.raises(ExperimentError, match="epochs=3; expected epochs=4"):
        runner.run(_config(tmp_path, num_steps=7))
    files.write_json(folder / "results.json", {})
    with pytest.raises(ExperimentError, match="expected the settings of"):
        runner.check_same(config, folder)


def test_a_run_that_came_to_nothing_binds_to_no_setting(tmp_path):
    config, later = (
        _config(tmp_path, num_steps=steps).runs()[0] for steps in (6, 7)
    )
    folder = tmp_path / "bbh" / "seed_0"
    folder.mkdir(parents=True)
    files.write_json(folder / "config.json", dataclasses.asdict(config))
    runner.check_same(later, folder)
    # A checkpoint is of the settings beside it.
    files.write_json(folder / "state.json", {})
    with pytest.raises(ExperimentError, match="epochs=3; expected epochs=4"):
        runner.check_same(later, folder)
    (folder / "config.json").unlink()
    with pytest.raises(ExperimentError, match="config.json: expected a JSON"):
        runner.check_same(config, folder)


@pytest.mark.parametrize(
    ("checkpoint_seconds", "message"),
    [
        (1e9, "run: the loss is nan at step 2"),
        (0.0, "kernel is not finite after step 1"),
    ],
)
def test_what_is_not_finite_stops_and_is_not_saved(
    tmp_path, data, checkpoint_seconds, message
):
    (config,) = _config(tmp_path, rows=("map",)).runs()
    config = dataclasses.replace(config, learning_rate=float("inf"))
    folder = tmp_path / "run"
    with pytest.raises(ExperimentError, match=message):
        runner._run_one(
            config, data, folder, _silence, Execution(checkpoint_seconds)
        )
    assert [path.name for path in folder.iterdir()] == ["config.json"]


def test_a_broken_checkpoint_is_named(tmp_path, data):
    (config,) = _config(tmp_path, rows=("map",)).runs()
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "checkpoint_1.keras").write_bytes(b"no model")
    files.write_json(
        folder / "state.json", {"step": 1, "model": "checkpoint_1.keras"}
    )
    with pytest.raises(ExperimentError, match="expected a checkpoint"):
        runner._run_one(config, data, folder, _silence, _SAVES_ALWAYS)


def test_filters_larger_than_the_images_are_told_in_one_line(tmp_path):
    with pytest.raises(ExperimentError, match="^map: A LeNet with 20 x 20"):
        runner.run(
            _config(tmp_path, rows=("map",), changes=(("kernel_size", 20),))
        )


def test_data_that_is_not_there_is_told_in_one_line(tmp_path):
    config = _config(
        tmp_path / "out", dataset="mnist", data_dir=str(tmp_path / "none")
    )
    with pytest.raises(ExperimentError, match="--dataset=mnist") as caught:
        runner.run(config)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()

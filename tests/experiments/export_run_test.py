"""Runs exported, run by JAX and imported, beside the same runs made here."""

import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest

import bbh_tf as bbh
from experiments import config as configs
from experiments import data_sets
from experiments import files
from experiments import run_config
from experiments import run_exported
from experiments import runner
from experiments.errors import ExperimentError
from experiments.exporting import exported_folder
from experiments.exporting import outcome
from tests.experiments import commands

pytest.importorskip("jax", reason="Exported programs are run by JAX.")

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_SCRIPT = """
import runpy, sys
for name in ("tensorflow", "keras", "absl", "bbh_tf"):
    sys.modules[name] = None
runpy.run_module("experiments.run_exported", run_name="__main__")
"""


@pytest.fixture(name="rest")
def fixture_rest(monkeypatch):
    # Three steps an epoch, the last one smaller, in the place of two: a
    # program of its own, which takes as long to compile.
    monkeypatch.setattr(run_config, "_BATCH_SIZE", 80)


def _config(folder, row="map", table="mnist_methods", **changes):
    return configs.Config(
        **{
            "table": table,
            "dataset": "digits",
            "rows": (row,),
            "seeds": (1,),
            "scale": "smoke",
            "preset": "paper",
            "output_dir": str(folder),
            "num_prediction_samples": 3,
            "epochs": 2,
            "num_members": 2,
            **changes,
        }
    )


def _export(folder, *args, carry_all=True, **kwargs):
    config = _config(folder, *args, **kwargs)
    exported_folder.write(config, carry_all, lambda _: None)
    return folder


@pytest.fixture(scope="module", name="exported")
def fixture_exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("there") / "exported"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_config, "_BATCH_SIZE", 80)
        return _export(folder)


@pytest.fixture(scope="module", name="done")
def fixture_done(exported, tmp_path_factory):
    """What a process made of it that has no TensorFlow."""
    out = tmp_path_factory.mktemp("there") / "out"
    subprocess.run(
        [sys.executable, "-c", _SCRIPT, f"--folder={exported}", f"--out={out}"],
        cwd=_ROOT,
        check=True,
    )
    return out


def compare(tmp_path, config, export, kl_tolerance=1e-4):
    """Makes runs here, and by JAX, and compares all that they leave.

    Args:
        tmp_path: an empty folder.
        config: `Config` of the runs here.
        export: callable that exports the same to a folder.
        kl_tolerance: how far the KL may be off, relatively.
    """
    here = runner.run(config)
    export(tmp_path / "exported")
    run_exported.run_all(tmp_path / "exported", tmp_path / "out")
    there = outcome.take_in(
        tmp_path / "exported", tmp_path / "out", tmp_path / "imported"
    )
    for one, other in zip(here, there, strict=True):
        assert one.keys() == other.keys()
        for key in one.keys() - {"measures", "final", "seconds", "provenance"}:
            assert one[key] == other[key], key
        # An area under a curve of ranks may jump where two change places.
        assert one["measures"]["nll"] == pytest.approx(
            other["measures"]["nll"], rel=1e-4
        )
        name = pathlib.Path(one["config"]["row"]) / "seed_1"
        folders = (
            pathlib.Path(config.output_dir) / name,
            (tmp_path / "imported" / name),
        )
        metrics = [
            (folder / "metrics.jsonl").read_text().splitlines()
            for folder in folders
        ]
        for line, its in zip(*metrics, strict=True):
            line, its = json.loads(line), json.loads(its)
            assert line.pop("kl", 0.0) == pytest.approx(
                its.pop("kl", 0.0), rel=kl_tolerance
            )
            assert line == pytest.approx(its, rel=1e-4, abs=1e-6)
        saved = [
            dict(np.load(folder / "predictions.npz")) for folder in folders
        ]
        assert set(saved[0]) == set(saved[1])
        for key in saved[0]:
            np.testing.assert_allclose(saved[0][key], saved[1][key], atol=1e-4)


# Dropout and the ensemble: below, with augmentation.
def test_a_run_there_is_the_run_here(tmp_path):
    row, changes = "bbb", (("learning_rate_decay", "cosine"),)
    compare(
        tmp_path,
        _config(tmp_path / "here", row, changes=changes),
        lambda folder: _export(folder, row, changes=changes),
    )


def test_hypernetworks_there_are_those_here(tmp_path):
    # The gradient of the kernel KL is one over distances of near neighbours:
    # what rounding is in one step is not in the next. The KL itself is as
    # near as TensorFlow's own operations and XLA's are.
    row, changes = ("single", "mnist_architectures"), {"kl_scale": 0.0}
    compare(
        tmp_path,
        _config(tmp_path / "here", *row, **changes),
        lambda folder: _export(folder, *row, **changes),
        kl_tolerance=2e-3,
    )


@pytest.mark.parametrize("row", ["dropout", "ensemble"])
def test_augmentation_and_calibration_there_are_those_here(
    tmp_path, monkeypatch, row
):
    random = np.random.default_rng(0)

    def part(count):
        # Of large patches, so that images differ in their statistics.
        patches = random.uniform(size=(count, 2, 2, 3)).astype(np.float32)
        images = patches.repeat(16, axis=1).repeat(16, axis=2)
        return images, (np.arange(count) % 5).astype(np.int32)

    data = bbh.datasets.ImageData(
        "cifar5", "others", 5, *part(20), *part(0), *part(7), part(6)[0]
    )
    there = data_sets.DATASETS["cifar5"]
    small = {"units": (4,), "units_per_stage": 1, "strides": (2,)}
    monkeypatch.setitem(
        data_sets.DATASETS,
        "cifar5",
        there._replace(network={**there.network, **small}),
    )
    monkeypatch.setattr(data_sets, "SMOKE_EXAMPLES", (20, 7))
    monkeypatch.setattr(run_config, "_BATCH_SIZE", 10)
    monkeypatch.setattr(runner, "load_data", lambda _: data)
    row = row, "cifar5_methods"
    compare(
        tmp_path,
        _config(tmp_path / "here", *row, dataset="cifar5"),
        lambda folder: _export(folder, *row, dataset="cifar5"),
    )


def test_the_last_epoch_may_be_cut_short(tmp_path, rest):
    changes = {"epochs": None, "num_steps": 5}
    compare(
        tmp_path,
        _config(tmp_path / "here", **changes),
        lambda folder: _export(folder, **changes),
    )


def test_without_tensorflow_and_imported_twice(tmp_path, rest, exported, done):
    (here,) = runner.run(_config(tmp_path / "here"))
    (there,) = outcome.take_in(exported, done, tmp_path / "imported")
    assert there["measures"] == pytest.approx(here["measures"], rel=1e-4)
    assert there["provenance"]["gpus"] == []
    assert there["provenance"]["compile_seconds"] > 0
    assert there["provenance"]["compile_cpu_seconds"] > 0
    assert outcome.take_in(exported, done, tmp_path / "imported") == [there]


def test_results_of_another_run_are_refused(tmp_path, exported, done):
    other = tmp_path / "other"
    shutil.copytree(exported, other)
    described = other / "map" / "seed_1" / "run.json"
    described.write_text(
        described.read_text().replace(
            json.loads(described.read_text())["id"], "x"
        )
    )
    with pytest.raises(ExperimentError, match="came of another export"):
        outcome.take_in(other, done, tmp_path / "imported")
    assert not (tmp_path / "imported").exists()


def test_a_folder_with_other_results_is_refused(tmp_path, exported, done):
    folder = tmp_path / "map" / "seed_1"
    folder.mkdir(parents=True)
    (config,) = _config("unused", kl_scale=0.5).runs()
    files.write_json(
        folder / "results.json", {"config": dataclasses.asdict(config)}
    )
    with pytest.raises(ExperimentError, match="holds a run with"):
        outcome.take_in(exported, done, tmp_path)


def test_a_run_cut_short_is_told_and_goes_on(tmp_path, exported, done, capsys):
    out = tmp_path / "out"
    with pytest.raises(SystemExit, match="cut short .* before it began"):
        run_exported.run_all(exported, out, max_seconds=-1.0)
    assert not out.exists()
    # The start; before the run, and when it is compiled; an epoch that takes
    # five seconds; and another, which would not end in time.
    times = iter((0, 0, 0, 0, 5, 5))
    clock = types.SimpleNamespace(monotonic=times.__next__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_exported, "time", clock)
        with pytest.raises(SystemExit, match="after 1 of 2 epochs; the same"):
            run_exported.run_all(exported, out, max_seconds=9.0)
    there = out / "map" / "seed_1"
    assert {path.name for path in there.iterdir()} == {
        "metrics.jsonl",
        "state.npz",
    }
    with pytest.raises(ExperimentError, match="got none of map/seed_1"):
        outcome.take_in(exported, out, tmp_path / "imported")
    run_exported.run_all(exported, out)
    assert not (there / "state.npz").exists()
    # As if it had not been cut short.
    other = done / "map" / "seed_1"
    name = "metrics.jsonl"
    assert (there / name).read_text() == (other / name).read_text()
    found, expected = (
        np.load(folder / "predictions.npz") for folder in (there, other)
    )
    for key in expected.files:
        np.testing.assert_array_equal(found[key], expected[key])
    capsys.readouterr()
    run_exported.run_all(exported, out)
    assert capsys.readouterr().out == "All runs are done.\n"
    outcome.take_in(exported, out, tmp_path / "imported")


def test_what_cannot_run_is_told_in_one_line(tmp_path, exported):
    for name in ("max_seconds", "state_seconds"):
        with pytest.raises(SystemExit, match=f"--{name}: expected a number"):
            run_exported.run_all(exported, tmp_path, **{name: float("nan")})
    with files.only_user(tmp_path):
        with pytest.raises(SystemExit, match="--out: another run is writing"):
            run_exported.run_all(exported, tmp_path)
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "map").write_text("")
    with pytest.raises(SystemExit, match="expected files that can be read"):
        run_exported.run_all(exported, tmp_path)
    (tmp_path / "export.json").write_text("{}")
    with pytest.raises(SystemExit, match="expected format .*; got None"):
        run_exported.run_all(tmp_path, tmp_path)


def test_files_that_are_missing_or_broken_are_named(tmp_path, exported, done):
    folder, out = tmp_path / "exported", tmp_path / "out"
    shutil.copytree(exported, folder)
    shutil.copytree(done, out)
    predictions = out / "map" / "seed_1" / "predictions.npz"
    predictions.write_bytes(predictions.read_bytes()[:100])
    with pytest.raises(ExperimentError, match="npz and done.json of map/seed"):
        outcome.take_in(folder, out, tmp_path / "imported")
    described = out / "map" / "seed_1" / "done.json"
    described.write_text(described.read_text().replace('"id": "', '"id": "x'))
    with pytest.raises(SystemExit, match="got another run"):
        run_exported.run_all(folder, out)
    (part, *_) = (folder / "data").glob("train_images_*.npz")
    begun = part.read_bytes()[:100]
    part.unlink()
    with pytest.raises(SystemExit, match="files; got no data/train_images_0"):
        run_exported.run_all(folder, out)
    part.write_bytes(begun)
    described.unlink()
    with pytest.raises(SystemExit, match="images_0.*: expected a file of ar"):
        run_exported.run_all(folder, out)
    (program, *_) = (folder / "map" / "seed_1").glob("*.gz")
    program.write_bytes(program.read_bytes()[:1000])
    shutil.copy(next((exported / "data").glob(part.name)), part)
    with pytest.raises(SystemExit, match="expected a whole program"):
        run_exported.run_all(folder, out)


def test_a_checkpoint_of_another_run_is_not_given_results(
    tmp_path, rest, exported, done
):
    there = tmp_path / "map" / "seed_1"
    there.mkdir(parents=True)
    files.write_json(there / "state.json", {"step": 1})
    with pytest.raises(ExperimentError, match="to have no checkpoint"):
        outcome.take_in(exported, done, tmp_path)
    assert not (there / "results.json").exists()
    # A run that was done here stays what it is.
    (config,) = _config("unused").runs()
    here = {"made": "here", "config": dataclasses.asdict(config)}
    files.write_json(there / "results.json", here)
    (found,) = outcome.take_in(exported, done, tmp_path)
    assert found["made"] == "here"


def test_an_export_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def lower(*args):
        raise NotImplementedError("no kernel for it\nand more")

    monkeypatch.setattr(
        "experiments.exporting.exported_folder.export_lowering.lower", lower
    )
    with pytest.raises(ExperimentError, match="^map: .*: no kernel for it$"):
        _export(tmp_path / "exported")
    assert not (tmp_path / "exported").exists()


def test_an_export_is_the_same_whenever_it_is_written(tmp_path, exported):
    text = (exported / "map" / "seed_1" / "train.mlir.gz").read_bytes()
    # The time in the header of gzip.
    assert text[4:8] == bytes(4)


def test_folders_that_are_none_are_refused_in_one_line(tmp_path, exported):
    with pytest.raises(SystemExit, match="got no export.json"):
        run_exported.run_all(tmp_path, tmp_path / "out")
    with pytest.raises(ExperimentError, match="expected a folder of exported"):
        outcome.take_in(tmp_path, tmp_path / "out", tmp_path / "imported")
    with pytest.raises(ExperimentError, match="expected an empty folder"):
        _export(exported)


def test_a_loss_that_is_no_number_stops(tmp_path):
    class Run:
        num_epochs = 2

        def train_epoch(self, epoch):
            return {"loss": float("nan")}

    (failure,) = run_exported._run("map", Run(), tmp_path, float("inf"), 0.0)
    assert "the loss is nan after 1 of 2 epochs" in failure
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


@pytest.mark.parametrize(
    "flag",
    [
        *("--checkpoint_seconds=5", "--steps_per_execution=2", "--jit"),
        *("--nokeep_model", "--figures"),
    ],
)
def test_flags_of_runs_here_are_refused(flag, tmp_path):
    done = commands.call("export_run", flag, f"--output_dir={tmp_path / 'a'}")
    name = flag.removeprefix("--").removeprefix("no").partition("=")[0]
    commands.check_refused(done, f"--{name}: expected without")
    assert not (tmp_path / "a").exists()


def test_an_import_prints_its_table(tmp_path, exported, done):
    printed = commands.call(
        "import_run",
        f"--exported={exported}",
        f"--out={done}",
        f"--output_dir={tmp_path / 'a'}",
    )
    assert printed.returncode == 0, printed.stderr
    results = list((tmp_path / "a").glob("*/seed_*/results.json"))
    assert results
    heading, row, *_ = printed.stdout.splitlines()
    assert heading.split()[0] == "error"
    measures = [json.loads(x.read_text())["measures"] for x in results]
    error = np.mean([one["error_percent"] for one in measures])
    assert f"{error:.2f}" in row
    assert printed.stdout.splitlines()[-1] == f"Imported: {tmp_path / 'a'}"

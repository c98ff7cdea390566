"""The whole chain of exported runs, and what is said of a row that fails."""

import json

import pytest

from experiments import files
from experiments.errors import ExperimentError
from experiments.exporting import dry_run
from experiments.exporting import exported_folder
from tests.experiments import commands


def test_rows_go_there_and_back_once(tmp_path):
    pytest.importorskip("jax", reason="Exported programs are run by JAX.")
    # Left by a command that was stopped.
    left = tmp_path / "mnist_methods" / "dropout" / "exported"
    left.mkdir(parents=True)
    (left / "run.json").write_text("half")
    flags = (
        "--tables=mnist_methods",
        "--rows=map,dropout",
        f"--output_dir={tmp_path}",
    )
    done = commands.call("export_dry_run", *flags)
    assert done.returncode == 0, done.stderr
    for row in ("map", "dropout"):
        there = tmp_path / "mnist_methods" / row
        result = there / "imported" / row / "seed_0" / "results.json"
        assert json.loads(result.read_text())["config"]["scale"] == "smoke"
        found = files.read_json(there / "dry_run.json")
        # Whose numbers are there is not run again.
        files.write_json(there / "dry_run.json", {**found, "mebibytes": 77.0})
    assert (tmp_path / "exhibit.json").exists()
    again = dry_run.run_row(
        "mnist_methods", "map", tmp_path / "mnist_methods" / "map", None
    )
    assert again["mebibytes"] == 77.0


def test_a_program_that_does_not_run_is_told(tmp_path, monkeypatch):
    def write(config, *_):
        folder = tmp_path / "exported"
        folder.mkdir()
        (folder / "export.json").write_text('{"format": 0}')

    monkeypatch.setattr(exported_folder, "write", write)
    with pytest.raises(ExperimentError, match="run_exported: .*got 0"):
        dry_run.run_row("mnist_methods", "map", tmp_path, None)
    assert not (tmp_path / "dry_run.json").exists()


def test_rows_that_fail_do_not_keep_others_from_being_tried(tmp_path):
    # There are no such data.
    done = commands.call(
        "export_dry_run",
        "--tables=cifar5_methods",
        "--rows=map,bbb",
        f"--data_dir={tmp_path / 'nowhere'}",
        f"--output_dir={tmp_path / 'out'}",
    )
    assert done.returncode == 1
    assert "2 of 2 rows did not come back: cifar5_methods map:" in done.stderr


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--tables=table_3", "--tables: expected some of mnist_methods"),
        ("--rows=swag", "--rows: expected rows of --tables; got swag"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, flag, message):
    done = commands.call("export_dry_run", flag, f"--output_dir={tmp_path}")
    commands.check_refused(done, message)

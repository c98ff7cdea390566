"""The whole chain of exported runs, and what is said of a row that fails."""

import json

import pytest

from experiments import files
from experiments.errors import ExperimentError
from experiments.exporting import dry_run
from experiments.exporting import exported_folder
from experiments.reporting import exhibit
from tests.experiments import commands


def test_a_row_goes_there_and_back_beside_one_that_fails(tmp_path):
    pytest.importorskip("jax", reason="Exported programs are run by JAX.")
    there = tmp_path / "mnist_methods" / "dropout"
    # Left by a command that was stopped.
    (there / "exported").mkdir(parents=True)
    (there / "exported" / "run.json").write_text("half")
    done = commands.call(
        "export_dry_run",
        "--tables=cifar5_methods,mnist_methods",
        "--rows=dropout",
        # There are no such data; the digits need none.
        f"--data_dir={tmp_path / 'nowhere'}",
        f"--output_dir={tmp_path}",
    )
    assert done.returncode == 1
    message = "1 of 2 rows did not come back: cifar5_methods dropout: "
    assert message in done.stderr
    result = there / "imported" / "dropout" / "seed_0" / "results.json"
    assert json.loads(result.read_text())["config"]["scale"] == "smoke"
    ((table, row, *_),) = exhibit.read(tmp_path)["tables"][0].rows
    assert (table, row) == ("mnist_methods", "dropout")
    # What is done is not done again.
    found = files.read_json(there / "dry_run.json")
    files.write_json(there / "dry_run.json", {**found, "mebibytes": 77.0})
    again = dry_run.run_row("mnist_methods", "dropout", there, None)
    assert again == {**found, "mebibytes": 77.0}


def test_a_program_that_does_not_run_is_told(tmp_path, monkeypatch):
    def write(config, *_):
        folder = tmp_path / "exported"
        folder.mkdir()
        (folder / "export.json").write_text('{"format": 0}')

    monkeypatch.setattr(exported_folder, "write", write)
    with pytest.raises(ExperimentError, match="run_exported: .*got 0"):
        dry_run.run_row("mnist_methods", "map", tmp_path, None)
    assert not (tmp_path / "dry_run.json").exists()


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--tables=table_3", "--tables: expected some of mnist_methods"),
        ("--tables=", "--tables: expected some of mnist_methods"),
        ("--tables=mnist_noise,mnist_noise", "each once; got mnist_noise,mn"),
        ("--rows=swag", "--rows: expected rows of --tables; got swag"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, flag, message):
    done = commands.call("export_dry_run", flag, f"--output_dir={tmp_path}")
    commands.check_refused(done, message)

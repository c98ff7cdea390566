"""What the tables lack at length, said and exported."""

import json

import pytest

from experiments import files
from experiments import run_exported
from experiments.exporting import missing
from tests.experiments import commands

_RUN = {
    "table": "mnist_methods",
    "row": "bbh",
    "method": "bbh",
    "dataset": "mnist",
    "seed": 0,
    "scale": "full",
    "epochs": 100,
    "preset": "paper",
    "kl_scale": 1.0,
}


def _write(folder, **changes):
    config = {**_RUN, **changes}
    there = folder / "some" / config["row"] / f"seed_{config['seed']}"
    there.mkdir(parents=True)
    files.write_json(there / "results.json", {"config": config})


def _left(batches, table, seed):
    (found,) = [x for x in batches if (x.table, x.seed) == (table, seed)]
    assert not set(found.done) & set(found.left)
    return found.left


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 10},
        {"scale": "short"},
        {"preset": "released_code"},
        {"kl_scale": 0.1},
        {"changed": ["learning_rate"]},
        {"global_clipnorm": 1.0},
        {"dataset": "digits", "epochs": 600},
    ],
)
def test_a_run_of_other_settings_does_not_count(tmp_path, changes):
    _write(tmp_path, **changes)
    left = _left(missing.find(tmp_path, "full"), "mnist_methods", 0)
    assert left[:3] == ("bbh", "mnf", "ensemble")


def test_what_is_done_is_not_left(tmp_path):
    _write(tmp_path)
    _write(tmp_path, seed=2)
    _write(tmp_path, row="map", method="map")
    batches = missing.find(tmp_path, "full")
    assert _left(batches, "mnist_methods", 0)[:2] == ("mnf", "ensemble")
    assert "map" not in _left(batches, "mnist_methods", 0)
    assert _left(batches, "mnist_methods", 1)[0] == "bbh"
    assert _left(batches, "mnist_methods", 2)[0] == "mnf"
    assert len(_left(batches, "cifar5_methods", 0)) == 6
    # The same run as Table 3's.
    assert "independent_1" not in _left(batches, "mnist_noise", 0)
    # The digits stand in for MNIST, and not for CIFAR5.
    digits = {batch.table for batch in missing.find(tmp_path, "full", "digits")}
    assert "mnist_noise" in digits and "cifar5_methods" not in digits


def test_a_row_goes_there_and_back(tmp_path):
    """The whole chain, at the shortest length."""
    pytest.importorskip("jax", reason="Exported programs are run by JAX.")
    results = tmp_path / "results"
    results.mkdir()
    flags = (
        f"--results={results}",
        "--tables=mnist_methods",
        "--rows=map",
        "--scale=smoke",
        "--dataset=digits",
        f"--output_dir={tmp_path / 'exported'}",
    )
    done = commands.call("export_table", *flags)
    assert done.returncode == 0, done.stderr
    # Three seeds, of which none is done.
    lines = done.stdout.splitlines()[1:4]
    assert all(line.split()[2:] == ["–", "map"] for line in lines)
    folders = sorted((tmp_path / "exported").iterdir())
    assert [path.name for path in folders] == [
        f"{number}_mnist_methods_seed_{number - 1}" for number in (1, 2, 3)
    ]
    first = folders[0]
    run_exported.run_all(first, tmp_path / "out")
    back = commands.call(
        "import_run",
        f"--exported={first}",
        f"--out={tmp_path / 'out'}",
        f"--output_dir={results / 'imported'}",
    )
    assert back.returncode == 0, back.stderr
    path = results / "imported" / "map" / "seed_0" / "results.json"
    assert json.loads(path.read_text())["config"]["seed"] == 0
    # What came back is done; what was exported is not written again.
    again = commands.call("export_table", *flags)
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[1].split()[2:] == ["map", "–"]
    assert again.stdout.count("exported before") == 2
    other = commands.call("export_table", *flags, "--rows=map,bbb")
    assert other.returncode == 1
    assert "seed_0 holds map/seed_0; expected bbb/seed_0." in other.stderr


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--tables=table_3", "--tables: expected some of mnist_methods"),
        ("--rows=swag", "--rows: expected some of"),
        ("--results=/nowhere", "--results: expected a folder of results"),
    ],
)
def test_a_mistake_is_one_line(flag, message):
    commands.check_refused(commands.call("export_table", flag), message)

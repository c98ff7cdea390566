"""What the tables lack at length, said and exported."""

import dataclasses
import json

import pytest

from experiments import config as configs
from experiments import files
from experiments import paper_settings
from experiments import run_config
from experiments import run_exported
from experiments.exporting import missing
from tests.experiments import commands


def _run(row="bbh", table="mnist_methods", **flags):
    """Returns the configuration of a run of today."""
    config = configs.Config(
        **{
            "table": table,
            "dataset": "mnist",
            "rows": (row,),
            "seeds": (0,),
            "scale": "full",
            "preset": "paper",
            "output_dir": "somewhere",
            **flags,
        }
    )
    return dataclasses.asdict(config.runs()[0])


def _write(folder, config, **changes):
    config = {**config, **changes}
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
        {"changed": ["learning_rate"], "learning_rate": 2e-4},
        {"global_clipnorm": 1.0},
        {"num_prediction_samples": 20},
        {"mixed_precision": True},
        {"start": "network"},
        {"dataset": "digits", "epochs": 600},
    ],
)
def test_a_run_of_other_settings_does_not_count(tmp_path, changes):
    _write(tmp_path, _run(), **changes)
    left = _left(missing.find(tmp_path, "full"), "mnist_methods", 0)
    assert left[:3] == ("bbh", "mnf", "ensemble")


def test_every_setting_counts_but_for_those_named():
    names = {field.name for field in dataclasses.fields(run_config.RunConfig)}
    # 17 is no value of these.
    names -= {"table", "row", "dataset", "scale", "epochs"}
    own = _run()
    ignored = {
        name
        for name in names
        if paper_settings.is_the_papers({**own, name: 17})
    }
    assert ignored == {"seed", "outliers", "changed"}
    few = _run("ensemble", num_members=2)
    assert not paper_settings.is_the_papers(few)
    assert paper_settings.is_the_papers(_run("ensemble", epochs=7))


def test_what_older_versions_did_not_say_counts():
    old = {
        name: value
        for name, value in _run().items()
        if name not in ("table", "row", "divergence", "hypernetwork_units")
    }
    assert paper_settings.is_the_papers(old)
    # What began at random is not what begins around a network's weights.
    advised = _run("bbh_advised")
    assert paper_settings.is_the_papers(advised)
    del advised["start"]
    assert not paper_settings.is_the_papers(advised)


def test_what_is_asked_for_counts(tmp_path):
    _write(tmp_path, _run(global_clipnorm=2.0))
    _write(tmp_path, _run("bbh_advised"))
    table = "mnist_divergences"
    weights = {"divergence_weights": 50}
    _write(tmp_path, _run("adversarial", table, **weights))

    def done(**asked):
        found = missing.find(tmp_path, "full", **asked)
        return {batch[:2]: batch.done for batch in found}

    # It is clipped by itself.
    assert done()["mnist_methods", 0] == ("bbh_advised",)
    assert done()[table, 0] == ()
    asked = done(global_clipnorm=2.0, **weights)
    assert asked["mnist_methods", 0] == ("bbh",)
    _write(tmp_path, _run("bbh_advised", global_clipnorm=0.0), seed=1)
    assert done()["mnist_methods", 1] == ()
    found = done(global_clipnorm=0.0)
    assert found["mnist_methods", 1] == ("bbh_advised",)
    assert done(**weights)[table, 0] == ("adversarial",)


def test_what_is_done_is_not_left(tmp_path):
    _write(tmp_path, _run())
    _write(tmp_path, _run(), seed=2)
    _write(tmp_path, _run("map"))
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
        ("--tables=", "--tables: expected some of mnist_methods"),
        ("--dataset=iris", "--dataset: expected one of cifar5, digits, mnist,"),
        ("--rows=swag", "--rows: expected some of"),
        ("--global_clipnorm=nan", "--global_clipnorm: expected at least 0"),
        ("--divergence_weights=0", "--divergence_weights: expected at least"),
        ("--results=/nowhere", "--results: expected a folder of results"),
    ],
)
def test_a_mistake_is_one_line(flag, message):
    commands.check_refused(commands.call("export_table", flag), message)

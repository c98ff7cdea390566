"""All figures of a table's runs at once, with and without their models."""

import dataclasses
import html

from experiments import config as configs
from experiments import run_figures
from experiments import runner
from experiments.checkpoints import Checkpoints
from experiments.reporting import exhibit
from tests.experiments import commands

_FOLDERS = ("adversarial", "posterior", "shift")


def _figures_in(folder):
    return {
        name: exhibit.read(folder / name)
        for name in _FOLDERS
        if (folder / name).exists()
    }


def test_figures_outlive_the_models(tmp_path, capsys):
    rows = ("map", "bbb")
    commands.write_untrained(tmp_path, rows, num_prediction_samples=3)
    run_figures.make(tmp_path, None, smoke=True)
    found = _figures_in(tmp_path)
    shown = {
        name: {row[0] for table in one["tables"] for row in table.rows}
        for name, one in found.items()
    }
    drawn = {"Bayes by Backprop"}
    assert drawn <= shown["posterior"] and "MAP" not in shown["posterior"]
    assert {"MAP", *drawn} <= shown["shift"]
    named = " ".join(shown["adversarial"])
    assert all(name in named for name in ("MAP", *drawn))
    capsys.readouterr()
    for row in rows:
        Checkpoints(tmp_path / row / "seed_0").remove()
    commands.write_untrained(tmp_path / "later", ("dropout",))
    (tmp_path / "later" / "dropout").rename(tmp_path / "dropout")
    Checkpoints(tmp_path / "dropout" / "seed_0").remove()
    run_figures.make(tmp_path, None, smoke=True)
    said = capsys.readouterr()
    assert "Attacking" not in said.out and "Drawing" not in said.out
    assert said.err.count("dropout/seed_0, whose model is not kept") == 2
    for name, one in _figures_in(tmp_path).items():
        assert one["tables"] == found[name]["tables"]


def test_a_table_makes_its_figures_and_removes_its_models(tmp_path):
    flags = (
        "--dataset=digits",
        "--methods=map",
        "--seeds=0",
        "--scale=smoke",
        "--num_steps=2",
        "--figures",
        "--nokeep_model",
        f"--output_dir={tmp_path}",
    )
    done = commands.call("mnist_methods", *flags)
    assert done.returncode == 0, done.stderr
    # MAP has one set of weights, and no posterior to look at.
    assert list(_figures_in(tmp_path)) == ["adversarial", "shift"]
    page = (tmp_path / "report.html").read_text()
    assert all(
        html.escape(one["title"]) in page
        for one in _figures_in(tmp_path).values()
    )
    run = tmp_path / "map" / "seed_0"
    assert {path.name for path in run.iterdir()} == {
        "config.json",
        "metrics.jsonl",
        "predictions.npz",
        "results.json",
    }
    report = commands.call("report", f"--runs={tmp_path}")
    assert "(Figure 3)" in report.stdout, report.stderr
    again = commands.call("mnist_methods", *flags)
    assert again.returncode == 0, again.stderr
    assert "Attacking" not in again.stdout


def _config(**settings):
    return configs.Config(
        table="mnist_methods",
        dataset="digits",
        rows=("map",),
        seeds=(0,),
        preset="paper",
        output_dir="runs",
        **settings,
    )


def test_full_length_makes_figures_by_itself():
    assert _config(scale="full").makes_figures
    assert not _config(scale="short").makes_figures
    assert not _config(scale="full", epochs=3).makes_figures
    assert not _config(scale="full", figures=False).makes_figures
    assert _config(scale="short", figures=True).makes_figures


def test_removing_models_leaves_what_was_not_asked_for(tmp_path):
    commands.write_untrained(tmp_path, ("map", "bbb"))
    config = _config(scale="smoke", keep_model=False)
    config = dataclasses.replace(config, output_dir=str(tmp_path))
    runner.remove_models(config)
    assert Checkpoints(tmp_path / "map" / "seed_0").load() is None
    assert Checkpoints(tmp_path / "bbb" / "seed_0").load() is not None

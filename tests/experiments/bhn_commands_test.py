"""Figures 1 and 2 of Bayesian hypernetworks as a person calls them."""

import json

import pytest

from experiments.reporting import exhibit
from tests.experiments import commands


def test_the_curve_leaves_numbers_and_figure(tmp_path):
    done = commands.call(
        "bhn_toy", "--scale=smoke", f"--output_dir={tmp_path / 'toy'}"
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "toy" / "results.json").read_text())
    assert set(results["measures"]) == {"plain", "scales", "weights", "nuts"}
    assert results["measures"]["nuts"]["seen"]["rmse_to_reference"] == 0
    assert results["measures"]["plain"]["seen"]["std_ratio"] == 0
    found = exhibit.read(tmp_path / "toy")
    assert found["figures"][0].file == "bhn_toy.png"
    assert "R-hat" in done.stdout
    # Results of others are not replaced in silence.
    for name, flags in (
        ("bhn_toy", ["--scale=smoke", "--seed=1"]),
        ("bhn_identity", ["--num_seeds=1"]),
        ("objective", []),
        ("toy_regression", ["--scale=smoke"]),
    ):
        other = commands.call(name, *flags, f"--output_dir={tmp_path / 'toy'}")
        commands.check_refused(other, "results of another experiment or of")
    kept = json.loads((tmp_path / "toy" / "results.json").read_text())
    assert kept == results


def test_the_identity_leaves_numbers_and_figure(tmp_path):
    done = commands.call(
        "bhn_identity",
        "--noise_stds=0.8",
        "--num_seeds=2",
        "--num_steps=5",
        "--num_layers=1",
        f"--output_dir={tmp_path / 'identity'}",
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "identity" / "results.json").read_text())
    assert [x["flow"] for x in results["results"]] == [
        "none",
        "real_nvp",
        "iaf",
    ]
    assert all(len(x["shares"]) == 2 for x in results["results"])
    assert exhibit.read(tmp_path / "identity")["figures"]


@pytest.mark.parametrize(
    ("name", "flags", "message"),
    [
        ("bhn_toy", [], "--output_dir: expected a folder; got none."),
        ("bhn_toy", ["--scale=x"], "--scale: expected one of full, smoke"),
        ("bhn_toy", ["--num_epochs=0"], "--num_epochs: expected at least 1"),
        ("bhn_identity", ["--noise_stds=a"], "--noise_stds: expected positive"),
        ("bhn_identity", ["--noise_stds=1,1"], "expected each once; got 1,1"),
        ("bhn_identity", ["--num_seeds=0"], "--num_seeds: expected at least 1"),
    ],
)
def test_a_mistake_is_one_line_and_status_1(name, flags, message, tmp_path):
    if flags:
        flags = [*flags, f"--output_dir={tmp_path / 'none'}"]
    commands.check_refused(commands.call(name, *flags), message)
    assert not (tmp_path / "none").exists()

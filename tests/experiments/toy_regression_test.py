"""Figure 1 as a person calls it."""

import json

import pytest

from experiments.reporting import exhibit
from experiments.toy import settings as toy_settings
from tests.experiments import commands


def _results(folder):
    return json.loads((folder / "results.json").read_text())


def test_a_run_writes_numbers_and_figure_and_a_rerun_the_same(tmp_path):
    flags = ("--scale=smoke", "--methods=bbh,map", "--num_samples=3")
    done = commands.call(
        "toy_regression", *flags, f"--output_dir={tmp_path / 'a'}"
    )
    assert done.returncode == 0, done.stderr
    results = _results(tmp_path / "a")
    # In the order of the paper's figure, whatever was asked for.
    places = [
        done.stdout.index(name)
        for name in ("\nPosterior (HMC)", "\nMAP", "\nBayes by Hypernet")
    ]
    assert places == sorted(places)
    assert set(results["measures"]) == {"hmc", "map", "bbh"}
    assert results["settings"]["bbh"]["num_samples"] == 3
    assert results["num_prediction_samples"] == 500
    assert (results["preset"], results["scale"]) == ("paper", "smoke")
    assert len(results["provenance"]["commit"]) >= 7
    found = exhibit.read(tmp_path / "a")
    assert found["command"].startswith(
        "python -m experiments.toy_regression --scale=smoke"
    )
    assert [row[0] for row in found["tables"][0].rows] == [
        "Posterior (HMC)",
        "MAP",
        "Bayes by Hypernet",
    ]
    figure = (tmp_path / "a" / "toy_regression.png").read_bytes()
    assert figure[:4] == b"\x89PNG"
    # The reference is nearest to itself.
    measures = results["measures"]
    assert measures["hmc"]["all"]["rmse_to_reference"] == 0
    assert measures["map"]["all"]["std_ratio"] == 0
    again = commands.call(
        "toy_regression", *flags, f"--output_dir={tmp_path / 'b'}"
    )
    assert again.returncode == 0, again.stderr
    for key in ("measures", "reference", "training"):
        assert _results(tmp_path / "b")[key] == results[key]
    assert (tmp_path / "b" / "toy_regression.png").read_bytes() == figure


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--output_dir: expected a folder"),
        (["--preset=x"], "--preset: expected one of paper, released_code; got"),
        (["--scale=x"], "--scale: expected one of full, smoke; got x."),
        (["--methods=map,x"], "--methods: expected some of map, ensemble"),
        (["--methods=map,map"], "--methods: expected some of map, ensemble"),
        (["--methods="], "got none."),
        (["--seed=-1"], "--seed: expected at least 0"),
        (["--num_samples=1"], "--num_samples: expected at least 2"),
        (["--noise_dim=0"], "--noise_dim: expected at least 1"),
        (
            ["--num_prediction_samples=1"],
            "--num_prediction_samples: expected at least 2",
        ),
        (["--divergence=x"], "--divergence: expected one of kernel, full"),
        (["--methods=map", "--noise_dim=2"], "--noise_dim: is of bbh"),
        (
            ["--divergence=entropy", "--num_prior_samples=9", "--output_dir=a"],
            "--num_prior_samples: expected none with --divergence=entropy",
        ),
        (["x"], "expected flags only; got 'x'."),
    ],
)
def test_a_mistake_is_one_line_and_status_1(flags, message, tmp_path):
    if flags:
        flags = [*flags, f"--output_dir={tmp_path / 'none'}"]
    done = commands.call("toy_regression", *flags)
    commands.check_refused(done, message)
    assert not (tmp_path / "none").exists()


def test_every_method_has_settings_in_every_preset():
    for preset in toy_settings.PRESETS:
        for method in toy_settings.METHODS:
            for scale in toy_settings.SCALES:
                settings = toy_settings.of(preset, method, scale)
                assert settings.num_steps % 10 == 0

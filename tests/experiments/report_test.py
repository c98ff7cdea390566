"""The report on runs that are done, as a person calls it."""

import json

import pytest

from tests.experiments import commands


@pytest.fixture(name="runs")
def fixture_runs(tmp_path):
    for method, seed, error, epochs in (
        ("bbh", 0, 2.0, 10),
        ("map", 0, 1.0, 100),
        ("map", 1, 3.0, 100),
    ):
        folder = tmp_path / method / f"seed_{seed}"
        folder.mkdir(parents=True)
        areas = dict.fromkeys(
            ("in_auc", "outlier_auc", "nll", "ece", "auroc"), 0.25
        )
        result = {
            "config": {
                "method": method,
                "seed": seed,
                "dataset": "mnist",
                "preset": "paper",
                "epochs": epochs,
                "num_steps": None,
            },
            "measures": {"error_percent": error, **areas},
            "seconds": 10.0,
            "settings": "adam 0.001",
            "num_train": 55_000,
            "num_test": 10_000,
            "num_outliers": 10_000,
            "outliers": "notmnist",
            "num_parameters": 12,
            "final": {"loss": 1.0},
            "provenance": {
                "commit": 40 * "a" + " with changes",
                "cores": 2,
                "cpu": "Some CPU",
                "gpus": [],
                "tensorflow": "2.21.0",
                "keras": "3.15.1",
            },
        }
        (folder / "results.json").write_text(json.dumps(result))
    return tmp_path


def test_markdown_has_a_row_and_the_paper_s_for_each_method(runs):
    done = commands.call("report", f"--runs={runs}", "--format=markdown")
    assert done.returncode == 0, done.stderr
    rows = [x for x in done.stdout.splitlines() if x.startswith("|")]
    assert rows[0].startswith("|  | error % | in AUC |")
    assert rows[1] == "|" + 8 * " --- |"
    assert rows[2].startswith("| MAP, 100 epochs | 2.00 ± 1.41 | 0.250 ± 0.000")
    assert rows[3].startswith("| *paper, MNIST* | *0.80* | *0.99* | *0.71* |")
    assert rows[4].startswith("| Bayes by Hypernet, 10 epochs | 2.00 | 0.250 |")
    assert len(rows) == 6
    assert "preset paper, 100 epochs, 10 epochs." in done.stdout
    assert (
        "MAP, Bayes by Hypernet: commit aaaaaaa with changes, 2 cores of Some "
        "CPU, TensorFlow 2.21.0, Keras 3.15.1." in done.stdout
    )


def test_text_is_aligned(runs):
    done = commands.call("report", f"--runs={runs},{runs}")
    tables = [x for x in done.stdout.splitlines() if x.startswith("MAP, 100")]
    assert len(tables) == 2
    assert "   2.00 ± 1.41  " in tables[0]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--runs: expected at least one folder; got none."),
        (["--runs=/nowhere"], "with results of runs; got /nowhere."),
        (["--runs=x", "--format=html"], "format"),
        (["--runs=x", "--output_file=y.pdf"], "a name that ends in .html"),
    ],
)
def test_a_mistake_is_one_line_and_status_1(flags, message):
    done = commands.call("report", *flags)
    commands.check_refused(done, message)

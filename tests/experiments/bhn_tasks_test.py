"""The tasks of Bayesian hypernetworks as a person calls them."""

import json

import pytest

from experiments.reporting import exhibit
from tests.experiments import commands


def test_regularisation_leaves_trials_and_a_table(tmp_path):
    flags = [
        "--num_trials=1",
        "--epochs=2",
        "--num_train=40",
        "--num_test=30",
        "--kl_scale=0.5",
        f"--output_dir={tmp_path}",
    ]
    done = commands.call("bhn_regularisation", "--methods=mle", *flags)
    assert done.returncode == 0, done.stderr
    found = exhibit.read(tmp_path)
    assert [x[0] for x in found["tables"][0].rows] == ["Maximum likelihood"]
    assert "the KL times 0.5" in found["notes"][0]
    assert "Test errors of single trials" in found["figures"][0].caption
    kept = json.loads((tmp_path / "trials" / "mle_0.json").read_text())
    measures = kept["measures"]
    assert measures["validation"][-1][0] == measures["last"]["epoch"] == 2


def test_the_other_tasks_leave_tables_and_figures(tmp_path):
    flags = ["--epochs=1", "--num_test=40", "--methods=dropout"]
    for name, others, title in (
        (
            "active_learning",
            ["--num_labels=40", "--scores=random", "--starts=warm"],
            "Figure 4",
        ),
        (
            "adversarial",
            ["--num_trials=1", "--num_train=60", "--epsilons=0.1"],
            "Figure 5",
        ),
    ):
        folder = tmp_path / name
        done = commands.call(
            f"bhn_{name}", *flags, *others, f"--output_dir={folder}"
        )
        assert done.returncode == 0, done.stderr
        found = exhibit.read(folder)
        assert title in found["title"]
        assert {row[0] for row in found["tables"][0].rows} == {"MC dropout"}


@pytest.mark.parametrize(
    ("name", "flags", "message"),
    [
        ("regularisation", [], "--output_dir: expected a folder; got none."),
        ("regularisation", ["--units=0"], "--units: expected whole numbers"),
        ("regularisation", ["--kl_scale=nan"], "--kl_scale: expected at least"),
        (
            "regularisation",
            ["--nostandardizes", "--initial_std=0.1"],
            "--initial_std: expected no value with --nostandardizes",
        ),
        ("active_learning", ["--scores=a"], "--scores: expected some of bald"),
        (
            "active_learning",
            ["--methods=bbh", "--starts=gal"],
            "--starts: expected more than gal, which is for dropout; got",
        ),
        (
            "active_learning",
            ["--methods=mle", "--starts=warm,gal"],
            "--starts: expected no gal, which is for dropout, without it",
        ),
        ("anomaly", ["--data_dir=b"], "--data_dir: expected none with digits"),
        ("adversarial", ["--epsilons=0.1,0.10"], "expected each once; got"),
        ("adversarial", ["--epsilons=0,x"], "--epsilons: expected numbers"),
    ],
)
def test_a_mistake_is_one_line_and_status_1(name, flags, message, tmp_path):
    if flags:
        flags = [*flags, f"--output_dir={tmp_path / 'none'}"]
    commands.check_refused(commands.call(f"bhn_{name}", *flags), message)
    assert not (tmp_path / "none").exists()

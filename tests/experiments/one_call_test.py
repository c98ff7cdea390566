"""The one calls held against others, as a person calls the command."""

import pathlib
import shutil

import pytest

from experiments.reporting import exhibit
from tests.experiments import commands

_RESULTS = pathlib.Path(__file__).resolve().parents[2] / "results" / "one_call"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--output_dir: expected a folder; got none."),
        (["--output_dir=a", "--splits=0,x"], "from 0, each once; got 0,x."),
        (["--output_dir=a", "--splits=9999999999"], "once; got 9999999999."),
        (["--output_dir=a", "--datasets=iris"], "cifar5; got iris."),
        (["--output_dir=a", "--datasets=wine,wine"], "each once; got wine,w"),
        (["--output_dir=a", "--methods=map,map"], "each once; got map,map."),
        (
            ["--output_dir=a", "--datasets=wine", "--data_dir=b"],
            "--data_dir: expected none with wine, which read no folder; got b.",
        ),
        (["--output_dir=a", "--methods=plain"], "bbb, bbh; got plain."),
        (["--output_dir=a", "--learning_rate=0"], "number > 0; got 0.0."),
        (["--output_dir=a", "--kl_scale=-1"], "number >= 0; got -1.0."),
        (
            ["--output_dir=a", "--methods=map", "--learning_rate=1"],
            "--learning_rate: is of bbb and bbh; got --methods=map.",
        ),
        (["--output_dir=a", "--epochs=0"], "--epochs: expected at least 1"),
    ],
)
def test_wrong_flags_are_told_in_one_line(flags, message):
    commands.check_refused(commands.call("one_call", *flags), message)


def test_trains_and_goes_on(tmp_path):
    flags = (
        "--datasets=wine",
        "--splits=0",
        "--epochs=1",
        f"--output_dir={tmp_path}",
    )
    done = commands.call("one_call", *flags, "--methods=ensemble")
    assert done.returncode == 0, done.stderr
    first = (tmp_path / "wine_ensemble_0.json").read_bytes()
    done = commands.call("one_call", *flags, "--methods=ensemble,bbh")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "wine_ensemble_0.json").read_bytes() == first
    assert "likelihood under 5 draws" in done.stdout
    (table,) = exhibit.read(tmp_path)["tables"]
    assert [row[1] for row in table.rows] == [
        "plain network", "deep ensemble", "bayes_by_hypernet"
    ]  # fmt: skip
    assert (tmp_path / "report.html").exists()
    done = commands.call("one_call", *flags, "--held_out")
    commands.check_refused(done, "a run of other settings or of another run")


def test_what_is_committed_says_what_was_found(tmp_path):
    for path in _RESULTS.glob("wine_*.json"):
        shutil.copy(path, tmp_path)
    found = commands.call(
        "one_call", "--datasets=wine", f"--output_dir={tmp_path}"
    )
    assert found.returncode == 0, found.stderr
    (table,) = exhibit.read(tmp_path)["tables"]
    kept = exhibit.read(_RESULTS)["tables"][0].rows
    assert table.rows == [row for row in kept if row[0] == "wine"]

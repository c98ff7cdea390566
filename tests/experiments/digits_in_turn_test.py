"""Two tasks in turn, as a person calls the command."""

import pathlib
import shutil

import pytest

from experiments.reporting import exhibit
from tests.experiments import commands

_RESULTS = (
    pathlib.Path(__file__).resolve().parents[2] / "results" / "digits_in_turn"
)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--output_dir: expected a folder; got none."),
        (["--output_dir=a", "--seeds=0,x"], "from 0, each once; got 0,x."),
        (["--output_dir=a", "--data_dir=b"], "--data_dir: expected none with"),
        (["--output_dir=a", "--seeds=0,0"], "from 0, each once; got 0,0."),
        (["--output_dir=a", "--seeds=9999999999"], "once; got 9999999999."),
        (["--output_dir=a", "--kl_scale=nan"], "expected at least 0, below"),
        (["--output_dir=a", "--methods=map"], "bbb, bbh, each once; got map."),
    ],
)
def test_wrong_flags_are_told_in_one_line(flags, message):
    commands.check_refused(commands.call("digits_in_turn", *flags), message)


def test_what_is_done_is_not_done_again(tmp_path):
    for path in _RESULTS.glob("*_seed_0.json"):
        shutil.copy(path, tmp_path)
    flags = ("--seeds=0", f"--output_dir={tmp_path}")
    done = commands.call("digits_in_turn", *flags)
    assert done.returncode == 0, done.stderr
    assert "done." not in done.stdout
    found = exhibit.read(tmp_path)
    assert [row[0] for row in found["tables"][0].rows][1::4] == [
        "Bayes by Backprop, then 5 to 9, posterior handed on",
        "Bayes by Hypernet, then 5 to 9, posterior handed on",
    ]
    done = commands.call("digits_in_turn", *flags, "--epochs=3")
    commands.check_refused(done, "errors of other settings or of another run")

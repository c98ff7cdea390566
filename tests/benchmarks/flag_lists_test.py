"""What a benchmark's list of names or numbers may hold."""

import pathlib
import subprocess
import sys

import pytest
from absl import flags

from benchmarks import flag_lists

_ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(name="values")
def fixture_values():
    values = flags.FlagValues()
    here = {"flag_values": values}
    flag_lists.names("some", ["a"], ["a", "b"], "Some.", fewest=1, **here)
    flag_lists.names("any", [], ["a", "b"], "Any.", **here)
    flag_lists.numbers("widths", ["4"], "Widths.", int, 1, **here)
    flag_lists.numbers("means", ["0"], "Means.", float, **here)
    return values


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--some=a,c", "Expected some of a, b; got c."),
        ("--some=", "Expected some of a, b; got none."),
        ("--any=c", "Expected some of a, b; got c."),
        ("--widths=4,0", "Expected integers of at least 1; got 0."),
        ("--widths=x", "Expected integers of at least 1; got x."),
        ("--means=nan", "Expected numbers; got nan."),
    ],
)
def test_what_is_not_known_is_refused(values, flag, message):
    with pytest.raises(flags.IllegalFlagValueError) as caught:
        values(["program", flag])
    assert str(caught.value).endswith(f": {message}")


def test_what_is_known_is_taken(values):
    values(["program", "--some=b,a", "--any=", "--means=-0.5"])
    assert (values.some, values.any, values.means) == (["b", "a"], [], ["-0.5"])


def test_a_step_of_no_known_estimate_is_not_timed():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.train_step", "--estimates=foo"],
        capture_output=True,
        text=True,
        cwd=_ROOT,
    )
    assert done.returncode == 1
    assert "Expected some of kernel_1, entropy_1, entropy_3; got foo." in (
        done.stderr
    )

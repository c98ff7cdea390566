"""Runs over several devices are those of one device."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from experiments import command_line
from experiments import strategies
from experiments.errors import ExperimentError
from tests.experiments import commands
from tests.experiments import mirrored_run

_ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_two_devices_equal_one_and_go_on_where_they_were(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.experiments.mirrored_run", tmp_path],
        cwd=_ROOT,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found.keys() == set(mirrored_run.ROWS)
    for row, both in found.items():
        assert both["stopped at"] == 3
        one, two = both["one"], both["two"]
        assert (one["num_replicas"], two["num_replicas"]) == (1, 2)
        for name, value in one["final"].items():
            assert two["final"][name] == pytest.approx(value, rel=1e-4), name
        predictions = [
            np.load(tmp_path / part / row / "predictions.npz")
            for part in ("one", "two")
        ]
        np.testing.assert_allclose(
            predictions[1]["test_probabilities"],
            predictions[0]["test_probabilities"],
            atol=1e-4,
        )


@pytest.mark.parametrize(
    ("name", "cluster", "message"),
    [
        ("tpu", "", "expected one of auto"),
        ("multiworker", "", "expected TF_CONFIG to name several"),
        ("multiworker", "{", "TF_CONFIG: expected JSON"),
        (
            "mirrored",
            '{"cluster": {"worker": ["a:1", "b:1"]}}',
            "expected one process; TF_CONFIG names 2",
        ),
    ],
)
def test_a_strategy_that_cannot_be_is_refused(
    monkeypatch, name, cluster, message
):
    monkeypatch.setenv("TF_CONFIG", cluster)
    with pytest.raises(ExperimentError, match=message):
        strategies.check(name)


_TWO = '{"cluster": {"worker": ["a:1", "b:1"]}}'


@pytest.mark.parametrize(
    ("cluster", "takes_strategy", "is_run"),
    [(_TWO, False, False), (_TWO, True, True), ("", False, True)],
)
def test_a_command_of_one_process_refuses_to_be_one_of_several(
    monkeypatch, capsys, cluster, takes_strategy, is_run
):
    monkeypatch.setenv("TF_CONFIG", cluster)
    statuses, done = [], []

    def run_app(main, flags_parser):
        del flags_parser
        statuses.append(main(["program"]))

    monkeypatch.setattr(command_line.app, "run", run_app)
    command_line.start(lambda: done.append(True), takes_strategy=takes_strategy)
    assert bool(done) == is_run
    assert statuses == [0 if is_run else 1]
    message = capsys.readouterr().err
    assert ("expected one process" in message) == (not is_run)
    assert ("TF_CONFIG names 2" in message) == (not is_run)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bhn_identity", "Unknown command line flag 'strategy'"),
        ("export_run", "--strategy: expected auto"),
    ],
)
def test_a_strategy_is_not_ignored_in_silence(name, message):
    commands.check_refused(commands.call(name, "--strategy=mirrored"), message)

"""Runs over several devices are those of one device."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from experiments import strategies
from experiments.errors import ExperimentError
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

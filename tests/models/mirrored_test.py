"""Two replicas train as one device does, on the same global batches."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results():
    output = subprocess.run(
        [sys.executable, "-m", "tests.models.mirrored_training"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        check=False,
        text=True,
    )
    assert output.returncode == 0, output.stderr[-3000:]
    return json.loads(output.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "case",
    [
        "even",
        "uneven",
        "regularizer",
        "annealed mean field",
        "adversarial",
        "flow",
    ],
)
def test_two_replicas_equal_one(results, case):
    one, two = results[case]
    assert one["counters"] == two["counters"]
    assert one["counters"][0] == 4
    assert one["logs"].keys() == two["logs"].keys()
    for name in ("loss", "nll", "kl", "kl_weight"):
        # Sums of float32 in another order.
        assert two["logs"][name] == pytest.approx(one["logs"][name], rel=1e-5)
    for ours, theirs in zip(one["weights"], two["weights"], strict=True):
        # Adam divides by the root of tiny second moments.
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_fit_under_a_strategy_equals_the_loop(results):
    loop = results["even"][0]["logs"]
    for name, value in results["fit"].items():
        assert value == pytest.approx(loop[name], rel=1e-5)


def test_the_regularizer_was_counted(results):
    without, with_it = results["even"][0], results["regularizer"][0]
    # The kernel's L2 term is 0.01 * (about 6 in squares).
    gap = with_it["logs"]["loss"] - without["logs"]["loss"]
    assert 0.01 < gap < 0.2

"""Two replicas train as one device does, on the same global batches."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests.models import mirrored_training

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


@pytest.mark.parametrize("case", mirrored_training.CASES)
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


def test_the_regularizer_was_counted(results):
    logs = results["regularizer"][0]["logs"]
    # The kernel's L2 term is 0.01 * (about 6 in squares).
    gap = logs["loss"] - logs["nll"] - logs["kl_weight"] * logs["kl"]
    assert 0.01 < gap < 0.2


def test_the_fused_update_is_for_each_variable_on_each_replica(results):
    count, num_variables = results["fused operations"]
    assert count == 2 * num_variables


def test_replicas_have_noise_of_their_own(results):
    found = results["noise"]
    first, second = (np.array(x) for x in found["replicas"])
    # The first is as a single device; of 200 units a quarter stays in each.
    np.testing.assert_array_equal(first, found["alone"])
    both = np.mean((first > 0) & (second > 0))
    # Independent masks share a sixteenth, of standard error 0.017.
    assert abs(both - 1 / 16) < 4 * 0.017
    assert abs(np.mean(second > 0) - 1 / 4) < 4 * 0.031
    for states, alone in zip(found["states"], found["state"], strict=True):
        assert states == [alone, alone]


@pytest.mark.parametrize("layer", mirrored_training.NOISY)
def test_noise_of_examples_is_that_of_one_device_in_distribution(
    results, layer
):
    one, two = results[layer]
    for name in ("nll", "gradient"):
        first, second = np.array(one[name]), np.array(two[name])
        assert len(first) == len(second) == mirrored_training.NOISY_STEPS
        first, second = first - first.mean(0), second - second.mean(0)
        # A batch that counts twice has twice the mean.
        means = np.mean(one[name], axis=0), np.mean(two[name], axis=0)
        variances = np.mean(first**2, axis=0), np.mean(second**2, axis=0)
        error = np.sqrt(sum(variances) / len(first))
        assert np.all(abs(means[0] - means[1]) < 4 * error), name
        assert np.all(abs(means[0]) > 20 * error), name
        # The same noise on both replicas has twice the variance.
        error = np.sqrt(
            (np.var(first**2, axis=0) + np.var(second**2, axis=0)) / len(first)
        )
        assert np.all(abs(variances[0] - variances[1]) < 4 * error), name
        assert np.all(variances[0] > 5 * error), name


def test_a_layer_that_draws_for_itself_equals_one(results):
    one, two = results["alone"]
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=1e-5)
    for ours, theirs in zip(one["weights"], two["weights"], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_an_optimizer_that_clips_is_refused(results):
    assert "global_clipnorm" in results["clipping"]


def test_draws_that_are_spread_are_those_of_one_device(results):
    one, two = results["predictions"]
    assert not one["is spread"] and two["is spread"]
    # Two rounds of a group on each, the second of which is not full.
    assert np.shape(two["samples"]) == (19, 10, 3)
    np.testing.assert_allclose(two["samples"], one["samples"], atol=1e-6)
    np.testing.assert_allclose(two["mean"], one["mean"], atol=1e-6)


def test_kernels_of_odd_batches_count_alike(results):
    one, two = results["kernel autoencoder"]
    for name in ("losses", "evaluated"):
        np.testing.assert_allclose(two[name], one[name], rtol=1e-5)
    for ours, theirs in zip(two["weights"], one["weights"], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)

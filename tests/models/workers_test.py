"""Two worker processes train as one does, through Keras' own `fit`."""

import json

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import loopback
from tests.models import kernel_training
from tests.models import worker_program

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    processes = loopback.start(["-m", "tests.models.worker_program"], folder)
    done = loopback.wait(processes, folder)
    for status, output in done:
        assert status == 0, output[-3000:]
    return [json.loads(output.splitlines()[-1]) for _, output in done]


@pytest.mark.parametrize("case", worker_program.CASES)
def test_two_workers_equal_one_process(found, case):
    one = worker_program.train(worker_program.make_model(case))
    for worker in found:
        two = worker[case]
        assert two["num_steps"] == one["num_steps"] == 20
        assert two["counters"] == one["counters"] == [20, 150]
        assert two["history"].keys() == one["history"].keys()
        for name, values in one["history"].items():
            np.testing.assert_allclose(
                two["history"][name], values, rtol=1e-5, err_msg=name
            )
        for ours, theirs in zip(two["weights"], one["weights"], strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)
        np.testing.assert_allclose(two["samples"], one["samples"], atol=1e-4)
    # The two hold the same numbers, bit for bit.
    assert found[0][case] == found[1][case]


def test_workers_have_noise_of_their_own(found):
    # The first worker's, and that of a single device, on both.
    (first,), (second,) = (
        [np.array(x) for x in worker["noise"]["replicas"]] for worker in found
    )
    np.testing.assert_array_equal(first, found[0]["noise"]["alone"])
    # Of 200 units a quarter stays in each; independent masks share a
    # sixteenth, of standard error 0.017.
    both = np.mean((first > 0) & (second > 0))
    assert abs(both - 1 / 16) < 4 * 0.017
    assert abs(np.mean(second > 0) - 1 / 4) < 4 * 0.031
    for worker in found:
        for states, alone in zip(
            worker["noise"]["states"], worker["noise"]["state"], strict=True
        ):
            assert states == [alone]


def test_kernels_of_odd_batches_count_alike(found):
    one = kernel_training.train(tf.distribute.get_strategy())
    for worker in found:
        two = worker["kernel autoencoder"]
        for name in ("losses", "evaluated"):
            np.testing.assert_allclose(two[name], one[name], rtol=1e-5)
        for ours, theirs in zip(two["weights"], one["weights"], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_workers_agree_on_a_seed_that_none_was_given(found):
    assert found[0]["chosen seed"] == found[1]["chosen seed"]


def test_xla_is_refused(found):
    for worker in found:
        assert "jit_compile=False" in worker["refusal of XLA"]


def test_workers_with_different_models_are_refused(found):
    for worker in found:
        assert "same model" in worker["refusal"]

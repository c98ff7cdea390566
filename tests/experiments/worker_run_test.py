"""What two workers leave is what one process leaves, written once."""

import json

import pytest

from benchmarks import loopback
from tests.experiments import worker_run
from tests.experiments.dwp import small

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return small.write(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def workers(inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    program = ["-m", "tests.experiments.worker_run", str(folder / "done")]
    processes = loopback.start([*program, *inputs[0], *inputs[1]], folder)
    done = loopback.wait(processes, folder)
    for status, output in done:
        assert status == 0, output[-3000:]
    # The first alone says what it does.
    texts = [output for _, output in done]
    assert texts[0].count("no_coupling, 0: done.") == 1
    assert "done." not in texts[1] and "accuracy" not in texts[1]
    return folder / "done"


def _read(path):
    found = json.loads(path.read_text())
    return found, found.pop("num_replicas")


def test_a_trial_of_a_hypernetwork(workers, tmp_path):
    worker_run.hypernetwork_trial(tmp_path)
    name = f"trials/{worker_run.METHOD.name}_0.json"
    one, num_one = _read(tmp_path / name)
    two, num_two = _read(workers / "bhn" / name)
    assert (num_one, num_two) == (1, 2)
    for part in ("nll", "kl"):
        expected = pytest.approx(one["measures"][part], rel=1e-4)
        assert two["measures"][part] == expected
    last = one["measures"]["last"]
    assert two["measures"]["last"] == pytest.approx(last, rel=1e-3)


def test_a_classifier_of_the_deep_weight_prior_s(workers, inputs, tmp_path):
    worker_run.classification(tmp_path, inputs)
    name = "runs/deterministic_means_10_4_0.json"
    one, num_one = _read(tmp_path / name)
    two, num_two = _read(workers / "dwp" / name)
    assert (num_one, num_two) == (1, 2)
    assert two["found"]["nll"] == pytest.approx(one["found"]["nll"], rel=1e-4)
    losses = [each["found"]["history"]["loss"] for each in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert (workers / "dwp" / "results.json").exists()

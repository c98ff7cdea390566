"""A run killed with SIGKILL, again and again, and started again."""

import json
import pathlib
import random
import time

import numpy as np

from tests.experiments import command_process

_NUM_KILLS = 4
_NUM_STEPS = 40
_RUN = pathlib.Path("bbb") / "seed_3"


def _start(folder, log, learning_rate=0.002):
    flags = [
        "--dataset=digits",
        "--methods=bbb",
        "--seeds=3",
        f"--num_steps={_NUM_STEPS}",
        f"--set=learning_rate={learning_rate}",
        "--num_prediction_samples=3",
        "--checkpoint_seconds=0",
        f"--output_dir={folder}",
    ]
    return command_process.start(
        "tests.experiments.killed_run", flags, (log, log)
    )


def _status(process):
    process.join(300)
    return process.exitcode


def _wait(process, log, condition):
    while not condition():
        assert process.is_alive(), log.read_text()
        time.sleep(0.001)


def _step(folder):
    try:
        return json.loads((folder / "state.json").read_text())["step"]
    except FileNotFoundError:
        return 0


def _comparable(folder):
    results = json.loads((folder / "results.json").read_text())
    del results["seconds"]
    metrics = (folder / "metrics.jsonl").read_text()
    predictions = dict(np.load(folder / "predictions.npz"))
    return results, metrics, {k: v.tobytes() for k, v in predictions.items()}


def test_kills_leave_no_trace(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    folder = killed / _RUN
    chance = random.Random(0)
    hit_a_write, stops = 0, []
    log = tmp_path / "log"
    assert _status(_start(whole, log)) == 0
    for kill in range(_NUM_KILLS):
        step = _step(folder)
        process = _start(killed, log)
        if kill < _NUM_KILLS - 2:
            _wait(process, log, lambda step=step: _step(folder) > step)
            time.sleep(chance.uniform(0.0, 0.2))
        else:
            # The last two come while results are written.
            _wait(process, log, lambda: any(folder.glob("*predictions*")))
        process.kill()
        process.join()
        hit_a_write += any(folder.glob(".*partial*"))
        stops.append(_step(folder))
        assert not (folder / "results.json").exists()
        if kill == _NUM_KILLS - 2:
            for path in folder.glob("*predictions*"):
                path.unlink()
    # What was begun with one setting does not go on with another.
    assert _status(_start(killed, log, learning_rate=0.003)) == 1
    assert _status(_start(killed, log)) == 0
    assert (
        "holds a run with learning_rate=0.002; expected learning_rate=0.003"
        in log.read_text()
    )
    # Every start went on from where the one before it was killed.
    assert sorted(set(stops[:-2])) == stops[:-2]
    assert stops[0] > 0 and stops[-3] < _NUM_STEPS
    assert hit_a_write >= 1
    assert _comparable(whole / _RUN) == _comparable(folder)
    config = json.loads((folder / "results.json").read_text())["config"]
    assert config["learning_rate"] == 0.002
    names = [
        sorted(path.name for path in run.iterdir())
        for run in (whole / _RUN, folder)
    ]
    assert names[0] == names[1]

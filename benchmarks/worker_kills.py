"""Kills one of two workers again and again, and compares with none killed.

python -m benchmarks.worker_kills --output_dir=runs/kills --num_kills=10

Two processes on this machine train Bayes by Backprop on the digits, saving
after every step. Now and then one of them, in turn, is killed with SIGKILL at a
random moment; the other must end with one line that says so, and both are
started again. The end is compared with that of two workers left alone. Prints
JSON.
"""

import json
import pathlib
import random
import signal
import time

import numpy as np
from absl import app
from absl import flags

from benchmarks import loopback

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for both jobs.", required=True
)
_NUM_KILLS = flags.DEFINE_integer("num_kills", 10, "How often.")
_NUM_STEPS = flags.DEFINE_integer("num_steps", 80, "Steps of the training.")
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the moments.")
# Seconds, on a machine that does other things too.
_TIMEOUT = 1800
_RUN = pathlib.Path("bbb") / "seed_3"
# Saves after every step, however long that takes.
_PROGRAM = """
from experiments import table_command, training
training._CHECKPOINT_SHARE = float("inf")
table_command.start("mnist_methods")
"""


def start(folder):
    """Starts both workers; returns their processes."""
    folder.mkdir(parents=True, exist_ok=True)
    flags_of_run = [
        "--dataset=digits",
        "--methods=bbb",
        "--seeds=3",
        f"--num_steps={_NUM_STEPS.value}",
        "--num_prediction_samples=3",
        "--checkpoint_seconds=0",
        "--strategy=multiworker",
        f"--output_dir={folder / 'runs'}",
    ]
    return loopback.start(["-c", _PROGRAM, *flags_of_run], folder)


def kill_one(folder, victim, wait):
    """Kills a worker in mid-training.

    Args:
        folder: the job's folder.
        victim: index of the worker.
        wait: seconds from the first new checkpoint on.

    Returns:
        Dictionary: the step of the last checkpoint, the seconds until the other
        worker ended, its exit status and its last line.
    """
    before = _step(folder)
    processes = start(folder)
    while _step(folder) == before:
        if any(process.poll() is not None for process in processes):
            raise RuntimeError((folder / "worker_0").read_text())
        time.sleep(0.01)
    time.sleep(wait)
    processes[victim].send_signal(signal.SIGKILL)
    started = time.monotonic()
    ends = loopback.wait(processes, folder, _TIMEOUT)
    status, output = ends[1 - victim]
    return {
        "victim": victim,
        "step": _step(folder),
        "seconds": round(time.monotonic() - started, 1),
        "status": status,
        "line": output.strip().splitlines()[-1],
    }


def differences(one, other):
    """Returns the largest differences between what two jobs left."""
    (metrics, predictions), (others, other_predictions) = map(
        _left, (one, other)
    )
    return {
        "metrics": float(np.abs(metrics - others).max()),
        "predictions": float(
            max(
                np.abs(value - other_predictions[name]).max()
                for name, value in predictions.items()
            )
        ),
    }


def _left(folder):
    run = folder / "runs" / _RUN
    lines = (run / "metrics.jsonl").read_text().splitlines()
    metrics = [
        [value for _, value in sorted(json.loads(line).items())]
        for line in lines
    ]
    return np.array(metrics), dict(np.load(run / "predictions.npz"))


def _finish(folder):
    for status, text in loopback.wait(start(folder), folder, _TIMEOUT):
        if status:
            raise RuntimeError(text)


def _step(folder):
    try:
        state = folder / "runs" / _RUN / "state.json"
        return json.loads(state.read_text())["step"]
    except FileNotFoundError:
        return 0


def main(_):
    output = pathlib.Path(_OUTPUT_DIR.value)
    _finish(output / "alone")
    chance = random.Random(_SEED.value)
    for index in range(_NUM_KILLS.value):
        wait = chance.uniform(0.0, 0.5)
        killed = kill_one(output / "killed", index % 2, wait)
        print(json.dumps(killed), flush=True)
    _finish(output / "killed")
    found = differences(output / "alone", output / "killed")
    print(json.dumps({"differences": found}))


if __name__ == "__main__":
    app.run(main)

"""Runs on one device and on two; run by mirrored_run_test.py, on its own.

The second run is stopped in mid-epoch and goes on. It prints one line of JSON:
for each row what both found.
"""

import json
import pathlib
import sys

import tensorflow as tf

from experiments import config as configs
from experiments import run_config
from experiments import runner
from experiments import training
from experiments.execution import Execution

ROWS = ("ensemble",)


def _stop(_, stage, epochs):
    if stage == "training" and epochs >= 2.0:
        raise KeyboardInterrupt


def _run(config, data, folder, strategy, report=lambda *_: None):
    return runner._run_one(
        config,
        data,
        folder,
        report,
        Execution(checkpoint_seconds=0.0, strategy=strategy),
    )


def main(folder):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    # Two steps an epoch, so that five steps end within one.
    run_config._BATCH_SIZE = 100
    training._CHECKPOINT_SHARE = float("inf")
    config = configs.Config(
        table="mnist_methods",
        dataset="digits",
        rows=ROWS,
        seeds=(0,),
        scale="smoke",
        preset="paper",
        output_dir=str(folder),
        num_prediction_samples=3,
        num_steps=5,
        num_members=2,
    )
    data = runner.load_data(config)
    found = {}
    for one in config.runs():
        whole = _run(one, data, folder / "one" / one.row, "auto")
        parts = folder / "two" / one.row
        try:
            _run(one, data, parts, "mirrored", _stop)
        except KeyboardInterrupt:
            step = json.loads((parts / "state.json").read_text())["step"]
        found[one.row] = {
            "one": whole,
            "two": _run(one, data, parts, "mirrored"),
            "stopped at": step,
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

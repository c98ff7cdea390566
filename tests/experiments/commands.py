"""Commands as a person calls them, and runs for them to read."""

import dataclasses

from experiments import building
from experiments import checkpoints
from experiments import config as configs
from experiments import files
from experiments import run_config
from experiments import runner
from tests.experiments import command_process


def call(name, *flags):
    """Runs `python -m experiments.<name>`; returns what it printed."""
    return command_process.call(f"experiments.{name}", flags)


def check_refused(done, message):
    """Checks that a call ended in one line that says what was wrong."""
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def write_untrained(folder, rows, **settings):
    """Writes runs of Table 3 on the digits, done but for training, seed 0."""
    config = configs.Config(
        table="mnist_methods",
        dataset="digits",
        rows=rows,
        seeds=(0,),
        scale="smoke",
        preset="paper",
        output_dir=str(folder),
        **settings,
    )
    data = runner.load_data(config)
    for one in config.runs():
        there = folder / one.row / "seed_0"
        there.mkdir(parents=True)
        model = building.build(one, data)
        state = {"step": run_config.num_steps(one)}
        checkpoints.Checkpoints(there).save(model, state)
        settled = dataclasses.asdict(one)
        files.write_json(there / "config.json", settled)
        files.write_json(
            there / "results.json",
            {"config": settled, "provenance": {}, "seconds": 1.0},
        )

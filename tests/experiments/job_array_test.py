"""The job array of docs/cluster.md, as SLURM would run its tasks."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from tests.experiments import commands

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_SCRIPT = re.search(
    r"<!-- job array -->\n```bash\n(.*?)```",
    (_ROOT / "docs" / "cluster.md").read_text(),
    re.S,
).group(1)


def _task(index, folder, more="--num_steps=2 --num_prediction_samples=2"):
    python = folder / "bin" / "python"
    if not python.exists():
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
    return subprocess.run(
        ["bash", "-c", _SCRIPT],
        cwd=_ROOT,
        env={
            **os.environ,
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "SLURM_ARRAY_TASK_ID": str(index),
            "DATASET": "digits",
            "SCALE": "smoke",
            "MORE": more,
            "FOLDER": str(folder / "sweep"),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_tasks_merge_in_the_report_and_one_that_fails_hurts_none(tmp_path):
    for index in (0, 3):
        done = _task(index, tmp_path)
        assert done.returncode == 0, done.stderr
    failed = _task(1, tmp_path, "--num_steps=0")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: --num_steps")

    sweep = tmp_path / "sweep"
    tasks = sorted(path.name for path in sweep.iterdir())
    assert tasks == ["task_0", "task_3"]
    report = commands.call(
        "report", f"--runs={sweep}", f"--output_file={tmp_path / 'page.html'}"
    )
    assert report.returncode == 0, report.stderr
    errors = []
    for task, seed in (("task_0", 0), ("task_3", 1)):
        path = sweep / task / "map" / f"seed_{seed}" / "results.json"
        measures = json.loads(path.read_text())["measures"]
        errors.append(measures["error_percent"])
    assert f"{sum(errors) / 2:.2f} ±" in report.stdout
    assert "Learning curves" in (tmp_path / "page.html").read_text()

    shutil.copytree(sweep / "task_0", sweep / "task_9")
    again = commands.call("report", f"--runs={sweep}")
    commands.check_refused(again, "several of map/seed_0")

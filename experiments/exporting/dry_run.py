"""The whole chain of an exported run, row by row, at the shortest length."""

import gc
import os
import pathlib
import shutil
import subprocess
import sys
import time

import keras

from experiments import config as configs
from experiments import files
from experiments import paper_tables
from experiments.errors import ExperimentError
from experiments.exporting import exported_folder
from experiments.exporting import outcome

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_FILE = "dry_run.json"


def run_row(table, row, folder, data_dir):
    """Exports a row at smoke length, runs it on the CPU and imports it.

    Args:
        table: key of a table; its first data set is taken.
        row: key of one of its rows.
        folder: where to work; what is done there is not done again.
        data_dir: see `Config`.

    Returns:
        Dictionary: `"mebibytes"` that are exported, `"export_cpu_seconds"`,
        `"compile_cpu_seconds"`, both of processors, and `"run_seconds"`.

    Raises:
        ExperimentError: if it does not come back.
    """
    done = folder / _FILE
    if done.exists():
        return files.read_json(done)
    dataset = paper_tables.TABLES[table].datasets[0]
    config = configs.Config(
        table=table,
        dataset=dataset,
        rows=(row,),
        seeds=(0,),
        scale="smoke",
        preset="paper",
        output_dir=str(folder / "exported"),
        # Of several tables the digits', too, which read none.
        data_dir=None if dataset == "digits" else data_dir,
    )
    began = time.process_time()
    if (folder / "exported" / "export.json").exists():
        exported_folder.check_same(folder / "exported", config)
    else:
        # What a command that was stopped has left is no export.
        shutil.rmtree(folder / "exported", ignore_errors=True)
        exported_folder.write(config, False, lambda _: None)
    # A table's models together would not fit into memory.
    keras.backend.clear_session()
    gc.collect()
    export_seconds = time.process_time() - began
    _run_exported(folder)
    (result,) = outcome.take_in(
        folder / "exported", folder / "out", folder / "imported"
    )
    exported = (folder / "exported").rglob("*")
    found = {
        "mebibytes": sum(x.stat().st_size for x in exported) / 2**20,
        "export_cpu_seconds": export_seconds,
        "compile_cpu_seconds": result["provenance"]["compile_cpu_seconds"],
        "run_seconds": result["seconds"],
    }
    files.write_json(done, found)
    return found


def _run_exported(folder):
    """Runs what was exported in a process that never sees TensorFlow."""
    flags = [
        f"--folder={(folder / 'exported').resolve()}",
        f"--out={(folder / 'out').resolve()}",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "experiments.run_exported", *flags],
        cwd=_ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        raise ExperimentError(f"run_exported: {said[-1]}")

"""A command in a process that has TensorFlow imported, and nothing run.

Its import takes seconds, a fork of a process that has it takes none. Such a
process is none of the tests' own, which have threads by then.
"""

import multiprocessing
import os
import pathlib
import runpy
import subprocess
import sys
import tempfile

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_SECONDS = 300
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "tensorflow",
        "keras",
        "tensorflow_probability",
        "matplotlib.pyplot",
        "sklearn.metrics",
    ]
)


def start(module, flags, streams, folder=_ROOT):
    """Starts `python -m <module> <flags>` in a folder.

    Args:
        module: its name.
        flags: strings.
        streams: files that standard output and standard error are added to.
        folder: where it runs, and where imports are looked for first.

    Returns:
        A `multiprocessing.Process`.
    """
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = _CONTEXT.Process(
        target=_run, args=(module, flags, environment, streams, folder)
    )
    process.start()
    return process


def call(module, flags, folder=_ROOT):
    """Runs `python -m <module> <flags>`; returns what it printed."""
    with tempfile.TemporaryDirectory() as printing:
        streams = [pathlib.Path(printing, one) for one in ("stdout", "stderr")]
        process = start(module, flags, streams, folder)
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"{module} took more than {_SECONDS} seconds")
        printed = [stream.read_text() for stream in streams]
    return subprocess.CompletedProcess(flags, process.exitcode, *printed)


def _run(module, flags, environment, streams, folder):
    for number, stream in enumerate(streams, start=1):
        with stream.open("ab") as opened:
            os.dup2(opened.fileno(), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:0] = [str(folder), str(_ROOT)]
    sys.argv = [module, *flags]
    runpy.run_module(module, run_name="__main__", alter_sys=True)

"""Worker processes on this machine, as a cluster would start them."""

import json
import os
import pathlib
import socket
import subprocess
import sys

_ROOT = pathlib.Path(__file__).resolve().parents[1]


def start(arguments, folder, count=2):
    """Starts Python once for each worker, with a `TF_CONFIG` of its own.

    Args:
        arguments: what Python is called with.
        folder: where each worker's output goes, to `worker_<index>`.
        count: number of workers.

    Returns:
        List of `subprocess.Popen`.
    """
    addresses = [f"localhost:{port}" for port in _free_ports(count)]
    processes = []
    for index in range(count):
        task = {"type": "worker", "index": index}
        config = {"cluster": {"worker": addresses}, "task": task}
        with open(folder / f"worker_{index}", "w") as log:
            processes.append(
                subprocess.Popen(
                    [sys.executable, *arguments],
                    cwd=_ROOT,
                    env={
                        **os.environ,
                        "PYTHONPATH": str(_ROOT),
                        "CUDA_VISIBLE_DEVICES": "",
                        "TF_CPP_MIN_LOG_LEVEL": "3",
                        "TF_CONFIG": json.dumps(config),
                    },
                    stdout=log,
                    stderr=log,
                )
            )
    return processes


def wait(processes, folder, timeout=900):
    """Waits for all workers, and kills what is left after the timeout.

    Returns:
        List of pairs of exit status and output.
    """
    try:
        for process in processes:
            process.wait(timeout)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return [
        (process.returncode, (folder / f"worker_{index}").read_text())
        for index, process in enumerate(processes)
    ]


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports

"""Runs all tests, some files a process, several processes at a time.

    python tools/run_tests.py -j 2 --preload=tensorflow,keras -m "not slow"

XLA keeps all that it has compiled until a process ends; one process for all
tests would need more memory than most machines have. The processes are forks
of one that has imported what `--preload` names: TensorFlow takes seconds.
Other flags are for pytest. The status is 0 where all tests passed.
"""

import argparse
import gc
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import sys

import pytest

# Of files in a process; fewer at the end, so that no process ends long after
# the others.
_MOST, _FEWEST = 16, 4
_TEMPORARY = pathlib.Path(".venv", "cache", "pytest")
_PASSED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
_CONTEXT = multiprocessing.get_context("forkserver")


def _parts(files, num_processes):
    """Splits the files, in their order, into those of one process each."""
    parts = []
    while files:
        share = len(files) // (3 * num_processes)
        count = min(max(share, _FEWEST), _MOST)
        parts.append(files[:count])
        files = files[count:]
    return parts


def _start(number, files, flags):
    output = _TEMPORARY / f"{number}.txt"
    arguments = [
        *("-p", "no:cacheprovider"),
        f"--basetemp={_TEMPORARY / str(number)}",
        *flags,
        *files,
    ]
    process = _CONTEXT.Process(target=_call_pytest, args=(output, arguments))
    process.start()
    return process, output


def _runs(parts, num_processes, flags):
    """Runs the parts; yields each one's files, status and output."""
    # In one thread: of two that look after processes, the one that comes
    # second is told a status of 255.
    waiting, running = list(enumerate(parts))[::-1], {}
    while waiting or running:
        while waiting and len(running) < num_processes:
            number, files = waiting.pop()
            process, output = _start(number, files, flags)
            running[process.sentinel] = files, process, output
        for ended in multiprocessing.connection.wait(list(running)):
            files, process, output = running.pop(ended)
            process.join()
            yield files, process.exitcode, output.read_text(errors="replace")


def _call_pytest(output, arguments):
    with output.open("wb") as opened:
        for stream in (1, 2):
            os.dup2(opened.fileno(), stream)
    # What is imported stays: no collection need go over it.
    gc.freeze()
    sys.exit(int(pytest.main(arguments)))


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-j", type=int, default=2, help="processes at a time")
    parser.add_argument("--preload", default="", help="modules, with commas")
    args, flags = parser.parse_known_args()
    # Tests kill processes, which leave semaphores behind; the process that
    # removes them takes these options over.
    sys.warnoptions.append("ignore:resource_tracker:UserWarning")
    _CONTEXT.set_forkserver_preload(
        [module for module in args.preload.split(",") if module]
    )
    files = sorted(map(str, pathlib.Path("tests").rglob("*_test.py")))
    parts = _parts(files, args.j)
    print(
        f"{len(files)} files in {len(parts)} parts, {args.j} at a time; each "
        "is printed when it is done.",
        flush=True,
    )
    _TEMPORARY.mkdir(parents=True, exist_ok=True)
    failures = []
    for files, status, output in _runs(parts, args.j, flags):
        name = f"{files[0]} to {files[-1]}"
        print(f"\n+ pytest {name}\n{output}", flush=True)
        if status not in _PASSED:
            failures.append(f"Status {status}: {name}")
            failures += [
                line
                for line in output.splitlines()
                if line.startswith(("FAILED", "ERROR"))
            ]
    print(*(failures or ["All tests passed."]), sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs all tests, some files a process, several processes at a time.

    python tools/run_tests.py -j 2 -m "not slow"

XLA keeps all that it has compiled until a process ends; one process for all
tests would need more memory than most machines have. What follows `-j` is for
pytest. The status is 0 where all tests passed.
"""

import argparse
import concurrent.futures
import pathlib
import subprocess
import sys

import pytest

_FILES_EACH = 16
_TEMPORARY = pathlib.Path(".venv", "cache", "pytest")
_PASSED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def _run(number, files, flags):
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
            f"--basetemp={_TEMPORARY / str(number)}",
            *flags,
            *files,
        ],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-j", type=int, default=2, help="processes at a time")
    args, flags = parser.parse_known_args()
    files = sorted(map(str, pathlib.Path("tests").rglob("*_test.py")))
    starts = range(0, len(files), _FILES_EACH)
    parts = [files[start : start + _FILES_EACH] for start in starts]
    print(
        f"{len(files)} files in {len(parts)} parts, {args.j} at a time; each "
        "is printed when it is done.",
        flush=True,
    )
    _TEMPORARY.mkdir(parents=True, exist_ok=True)
    failures = []
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        runs = {
            pool.submit(_run, *part, flags): f"{part[1][0]} to {part[1][-1]}"
            for part in enumerate(parts)
        }
        for run in concurrent.futures.as_completed(runs):
            done, name = run.result(), runs[run]
            print(f"\n+ pytest {name}\n{done.stdout}", flush=True)
            if done.returncode not in _PASSED:
                failures.append(f"Status {done.returncode}: {name}")
                failures += [
                    line
                    for line in done.stdout.splitlines()
                    if line.startswith(("FAILED", "ERROR"))
                ]
    print(*(failures or ["All tests passed."]), sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

"""`make test` runs every file, and says which failed."""

import pathlib
import subprocess
import sys

_ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_failures_of_any_part_are_the_end_of_the_output(tmp_path):
    tests = tmp_path / "tests" / "room"
    tests.mkdir(parents=True)
    for number in range(20):
        text = f"def test_it():\n    assert {number} not in (3, 18)\n"
        (tests / f"a{number:02d}_test.py").write_text(text)

    def run():
        return subprocess.run(
            [sys.executable, _ROOT / "tools" / "run_tests.py", "-ra"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run()
    assert done.returncode == 1
    ends = [
        line.split(" - ")[0]
        for line in done.stdout.splitlines()[-4:]
        if line.startswith("FAILED")
    ]
    assert sorted(ends) == [
        f"FAILED tests/room/a{number}_test.py::test_it" for number in ("03", 18)
    ]
    for number in ("03", 18):
        (tests / f"a{number}_test.py").unlink()
    done = run()
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "All tests passed."
    # Of 18 files now, few a process as at any end.
    assert done.stdout.startswith("18 files in 5 parts, 2 at a time; ")
    assert done.stdout.count(" 4 passed in ") == 4
    assert done.stdout.count(" 2 passed in ") == 1

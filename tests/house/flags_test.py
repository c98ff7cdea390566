"""What a command's --help lists."""

import pathlib

import pytest

from tests.experiments import commands

_ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_flags_of_shared_modules_are_those_of_the_command_that_has_them():
    for folder in ("benchmarks", "experiments"):
        for path in sorted((_ROOT / folder).rglob("*.py")):
            text = path.read_text()
            if "flags.DEFINE" in text and "__main__" not in text:
                assert "flags.disclaim_key_flags()" in text, path


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("bhn_anomaly", ("dataset", "strategy", "excluded_class")),
        ("dwp_features", ("kernels", "preset", "scales")),
        ("mnist_adversarial", ("runs", "epsilons")),
    ],
)
def test_help_lists_all_flags(command, flags):
    lines = commands.call(command, "--help").stdout.splitlines()
    for flag in flags:
        assert any(line.startswith(f"  --{flag}:") for line in lines), flag

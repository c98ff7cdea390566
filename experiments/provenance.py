"""Which code, on which machine, made a result."""

import collections
import os
import pathlib
import platform
import subprocess

from experiments import lazy

keras = lazy.import_module("keras")
tf = lazy.import_module("tensorflow")


def describe():
    """Returns the commit, the machine and the versions, as a dictionary."""
    gpus = [
        tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    return {
        "commit": _commit(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "gpus": gpus,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }


def hardware(description):
    """Names the machine of a description in a few words."""
    if description["gpus"]:
        return ", ".join(description["gpus"])
    return f"{description['cores']} cores of {description['cpu']}"


def software(description):
    """Names the libraries of a description; exported programs ran on JAX."""
    names = ["tensorflow", "keras"]
    if "jax" in description:
        names.insert(0, "jax")
    shown = {"jax": "JAX", "tensorflow": "TensorFlow", "keras": "Keras"}
    return ", ".join(f"{shown[name]} {description[name]}" for name in names)


def facts(description):
    """Returns the lines of a description, a dictionary of texts."""
    return {
        "commit": description["commit"],
        "machine": hardware(description),
        "software": f"Python {description['python']}, {software(description)}",
    }


def origin(description):
    """Names commit, machine and software of what `describe` returned."""
    commit = description["commit"]
    return (
        f"commit {commit[:7]}{commit[40:]}, {hardware(description)}, "
        f"{software(description)}"
    )


def counted(descriptions, what):
    """Says which code on which machines made things, a sentence for each.

    Args:
        descriptions: list of what `describe` returns.
        what: what each is of, such as `"run"`.

    Returns:
        List of texts.
    """
    counts = collections.Counter(map(origin, descriptions))
    return [
        f"{count} {what}{'s' if count > 1 else ''}: {name}."
        for name, count in counts.items()
    ]


def _commit():
    root = pathlib.Path(__file__).resolve().parent.parent
    try:
        commit, status = (
            subprocess.run(
                ["git", "-C", str(root), *command],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            for command in (
                ("rev-parse", "HEAD"),
                ("status", "--porcelain", "--untracked-files=no"),
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + (" with changes" if status else "")


def _cpu():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"

"""Runs what `experiments.export_run` wrote, on JAX's first device.

python -m experiments.run_exported --folder=exported --out=outcome

Needs JAX and NumPy alone: `experiments/` of this project and the folder are
all that a machine with an accelerator has to be given. Of each run it writes
metrics.jsonl after each epoch, and predictions.npz and done.json at the end.
Until then state.npz holds, now and then, what the same command goes on from;
what is done is not done again.
"""

import argparse
import json
import math
import os
import pathlib
import sys
import time

import numpy as np

from experiments import arrays
from experiments import files
from experiments.errors import ExperimentError
from experiments.exporting import exported_run
from experiments.exporting import runtime


def main():
    """Parses the flags and runs; the exit status is 0 when all is done."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--folder",
        type=pathlib.Path,
        required=True,
        help="what export_run wrote",
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        required=True,
        help="where states and predictions go; the same command goes on",
    )
    parser.add_argument(
        "--max_seconds",
        type=float,
        default=math.inf,
        help="begin no epoch that would end later; predictions come on top",
    )
    parser.add_argument(
        "--state_seconds",
        type=float,
        default=120.0,
        help="least time between two writings of a run's state",
    )
    sys.stdout.reconfigure(line_buffering=True)
    run_all(**vars(parser.parse_args()))


def run_all(folder, out, max_seconds=math.inf, state_seconds=120.0):
    """Runs all runs of a folder that are not done.

    Args:
        folder: what `experiments.export_run` wrote, a `pathlib.Path`.
        out: folder to write to, likewise.
        max_seconds: begin no epoch that would not end in that time.
        state_seconds: least time between two writings of a run's state.

    Raises:
        SystemExit: with one line that says what is wrong, or was cut short. A
            run whose loss is no number does not keep others from running.
    """
    for name, value in (
        ("max_seconds", max_seconds),
        ("state_seconds", state_seconds),
    ):
        # NaN is neither sooner nor later than anything.
        if math.isnan(value):
            _stop(f"--{name}: expected a number; got {value}.")
    try:
        with files.only_user(out, "--out"):
            _run_all(folder, out, time.monotonic() + max_seconds, state_seconds)
    except ExperimentError as error:
        _stop(str(error))
    except OSError as error:
        _stop(f"expected files that can be read and written; {error}.")


def _run_all(folder, out, deadline, state_seconds):
    if not (folder / "export.json").exists():
        _stop(f"{folder}: expected exported runs; got no export.json.")
    export = files.read_json(folder / "export.json")
    if export.get("format") != exported_run.FORMAT:
        _stop(
            f"{folder}: expected format {exported_run.FORMAT}; got "
            f"{export.get('format')}."
        )
    parts = [part for parts in export["data"].values() for part in parts]
    wanted = [f"{name}/run.json" for name in export["runs"]] + parts
    missing = [file for file in wanted if not (folder / file).exists()]
    if missing:
        _stop(f"{folder}: expected {len(wanted)} files; got no {missing[0]}.")
    to_do = [name for name in export["runs"] if not _is_done(name, folder, out)]
    if not to_do:
        print("All runs are done.")
        return
    jax = runtime.start()
    device = jax.devices()[0]
    print(f"JAX {jax.__version__} on {device.platform}: {device.device_kind}")
    data = {
        name: runtime.put(
            jax,
            np.concatenate([arrays.read(folder / x)["part"] for x in parts]),
        )
        for name, parts in export["data"].items()
    }
    failures = []
    for name in to_do:
        if time.monotonic() > deadline:
            _stop(f"{name}: cut short by --max_seconds before it began.")
        run = exported_run.ExportedRun(jax, folder / name, data)
        facts = run.facts()
        print(
            f"{name}: compiled in {facts['compile_seconds']:.1f} s, "
            f"{facts['compile_cpu_seconds']:.1f} s of processors"
        )
        failures += _run(name, run, out / name, deadline, state_seconds)
    if failures:
        _stop(" ".join(failures))


def _is_done(name, folder, out):
    if not (out / name / "done.json").exists():
        return False
    done, run = (
        files.read_json(path)
        for path in (out / name / "done.json", folder / name / "run.json")
    )
    if done["id"] != run["id"]:
        _stop(f"{out / name}: expected what came of {folder}; got another run.")
    return True


def _run(name, run, out, deadline, state_seconds):
    """Does what is left of a run; returns what failed, a list of sentences."""
    out.mkdir(parents=True, exist_ok=True)
    state = out / "state.npz"
    lines, seconds = _restore(run, state) if state.exists() else ([], 0.0)
    longest, saved = 0.0, time.monotonic()
    for epoch in range(len(lines), run.num_epochs):
        began = time.monotonic()
        if began + longest > deadline:
            _save(run, state, lines, seconds)
            _stop(
                f"{name}: cut short by --max_seconds after {epoch} of "
                f"{run.num_epochs} epochs; the same command goes on."
            )
        metrics = run.train_epoch(epoch)
        now = time.monotonic()
        seconds, longest = seconds + now - began, max(longest, now - began)
        lines.append(json.dumps({"epoch": epoch + 1, **metrics}) + "\n")
        _write(out / "metrics.jsonl", "".join(lines))
        done = f"{epoch + 1} of {run.num_epochs} epochs"
        if not math.isfinite(metrics["loss"]):
            failure = f"{name}: the loss is {metrics['loss']} after {done}"
            return [f"{failure}; expected a finite number."]
        print(f"{name}: {done}, loss {metrics['loss']:.4f}, {seconds:.1f} s")
        if now - saved >= state_seconds or epoch + 1 == run.num_epochs:
            _save(run, state, lines, seconds)
            saved = time.monotonic()
    _write(out / "predictions.npz", run.predict())
    facts = {**run.facts(), "seconds": seconds}
    _write(out / "done.json", json.dumps(facts, indent=2) + "\n")
    state.unlink(missing_ok=True)
    print(f"{name}: done in {seconds:.1f} s")
    return []


def _save(run, path, lines, seconds):
    known = {"id": run.facts()["id"], "lines": lines, "seconds": seconds}
    _write(path, {**run.state(), **known}, np.savez)


def _restore(run, path):
    """Goes back to a state; returns the lines and seconds until then."""
    state = arrays.read(path)
    if state["id"] != run.facts()["id"]:
        _stop(f"{path}: expected a state of this export; got another.")
    run.restore(state)
    return state["lines"].tolist(), float(state["seconds"])


def _write(path, content, save=np.savez_compressed):
    """Writes a text or arrays, in one step as seen from outside."""
    temporary = path.with_name(f".{path.stem}.partial{path.suffix}")
    if isinstance(content, str):
        temporary.write_text(content)
    else:
        save(temporary, **content)
    os.replace(temporary, path)


def _stop(text):
    raise SystemExit(f"error: {text}")


if __name__ == "__main__":
    main()

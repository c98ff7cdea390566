"""Runs what `experiments.export_run` wrote, on JAX's first device.

python experiments/run_exported.py --folder=exported --out=outcome

Needs JAX and NumPy alone: this file and the folder are all that a machine
with an accelerator has to be given. Of each run it writes metrics.jsonl after
each epoch, and predictions.npz and done.json at the end; what is done is not
done again.
"""

import argparse
import gzip
import json
import math
import os
import pathlib
import sys
import time

import numpy as np

FORMAT = 1
_HALF, _LOWER = np.uint64(32), np.uint64(0xFFFFFFFF)


def main():
    """Parses the flags and runs; the exit status is 0 when all is done."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--max_seconds", type=float, default=math.inf)
    sys.stdout.reconfigure(line_buffering=True)
    run_all(**vars(parser.parse_args()))


def run_all(folder, out, max_seconds=math.inf):
    """Runs all runs of a folder that are not done.

    Args:
        folder: what `experiments.export_run` wrote, a `pathlib.Path`.
        out: folder to write to, likewise.
        max_seconds: begin no epoch that would not end in that time.

    Raises:
        SystemExit: with one line that says what is wrong, or was cut short.
    """
    deadline = time.monotonic() + max_seconds
    if not (folder / "export.json").exists():
        _stop(f"{folder}: expected exported runs; got no export.json.")
    export = json.loads((folder / "export.json").read_text())
    if export["format"] != FORMAT:
        _stop(f"{folder}: expected format {FORMAT}; got {export['format']}.")
    jax = _jax()
    data = {
        name: _put(
            jax, np.concatenate([np.load(folder / x)["part"] for x in parts])
        )
        for name, parts in export["data"].items()
    }
    for name in export["runs"]:
        if not (out / name / "done.json").exists():
            _run(name, Run(jax, folder / name, data), out / name, deadline)


def _run(name, run, out, deadline):
    out.mkdir(parents=True, exist_ok=True)
    lines, seconds, longest = [], 0.0, 0.0
    for epoch in range(run.num_epochs):
        began = time.monotonic()
        if began + longest > deadline:
            _stop(
                f"{name}: cut short by --max_seconds after {epoch} of "
                f"{run.num_epochs} epochs; it would begin anew."
            )
        metrics = run.train_epoch(epoch)
        took = time.monotonic() - began
        seconds, longest = seconds + took, max(longest, took)
        lines.append(json.dumps({"epoch": epoch + 1, **metrics}) + "\n")
        _write(out / "metrics.jsonl", "".join(lines))
        done = f"{epoch + 1} of {run.num_epochs} epochs"
        if not math.isfinite(metrics["loss"]):
            _stop(
                f"{name}: the loss is {metrics['loss']} after {done}; expected "
                "a finite number."
            )
        print(f"{name}: {done}, loss {metrics['loss']:.4f}, {seconds:.1f} s")
    _write(out / "predictions.npz", run.predict())
    facts = {**run.facts(), "seconds": seconds}
    _write(out / "done.json", json.dumps(facts, indent=2) + "\n")
    print(f"{name}: done in {seconds:.1f} s")


class Run:
    """One run: its programs, and its variables on the device.

    Args:
        jax: the module.
        folder: the run's folder in the export.
        data: dictionary of arrays on the device.

    Attributes:
        num_epochs: how many epochs it is trained for.
    """

    def __init__(self, jax, folder, data):
        self._jax = jax
        self._described = json.loads((folder / "run.json").read_text())
        self.num_epochs = len(self._described["epoch_keys"])
        stored = np.load(folder / "values.npz")
        self._named = {**data}
        for key in stored.files:
            if key.startswith("constant_"):
                self._named[key] = _put(jax, stored[key])
        # Compiled first: what cannot be run is told before anything is.
        self._programs = {}
        for name, program in self._described["programs"].items():
            text = gzip.decompress((folder / program["file"]).read_bytes())
            compiled = _compiled(jax, text.decode("utf-8"))
            self._programs[name] = (compiled, program)
        seed = self._described["config"]["seed"]
        self._variables = [
            _first_value(jax, variable, (seed, number), stored)
            for number, variable in enumerate(self._described["variables"])
        ]

    def train_epoch(self, epoch):
        """Trains for an epoch; returns its metrics, floats by name."""
        per_epoch = self._described["steps_per_epoch"]
        num_steps = self._described["num_steps"] - epoch * per_epoch
        count = len(self._named["train_images"])
        orders = [
            shuffled(count, *words)
            for words in self._described["epoch_keys"][epoch]
        ]
        metrics = self._call(
            "train",
            order=np.stack(orders),
            epoch=np.int64(epoch),
            num_steps=np.int32(min(num_steps, per_epoch)),
        )
        return {name: float(value) for name, value in metrics.items()}

    def predict(self):
        """Returns the predictions, arrays by name."""
        found = self._call("predict")
        return {name: np.asarray(value) for name, value in found.items()}

    def facts(self):
        """Returns which run this is, and on what it runs."""
        device = self._jax.devices()[0]
        return {
            "id": self._described["id"],
            "device": device.device_kind,
            "jax": self._jax.__version__,
        }

    def _call(self, name, **arguments):
        compiled, program = self._programs[name]
        named = {key: _put(self._jax, x) for key, x in arguments.items()}
        named.update(self._named)
        parameters = program["parameters"]
        # Names of arguments and constants, numbers of variables.
        inputs = (
            named[x] if isinstance(x, str) else self._variables[x]
            for x in parameters
        )
        outputs = compiled(list(inputs))
        updates = dict(program["updates"])
        for parameter, output in updates.items():
            self._variables[parameters[parameter]] = outputs[output]
        rest = set(range(len(outputs))) - set(updates.values())
        return {
            key: outputs[output]
            for key, output in zip(program["results"], sorted(rest))
        }


def shuffled(count, key, *counter):
    """Shuffles as TensorFlow's `stateless_shuffle` of `alg="philox"` does.

    Args:
        count: how many numbers to shuffle.
        key: key of the Philox-4x32-10 generator, an integer of 64 bits.
        *counter: the two words of 64 bits of its counter, the lower first.

    Returns:
        `int32` array, a permutation of `0, ..., count - 1`.

    References:
        Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011.
    """
    left = np.arange(count, 1, -1, dtype=np.uint32)
    jumps = _philox(key, counter, -(-count // 4))[: len(left)] % left
    order = list(range(count))
    for here, jump in enumerate(jumps.tolist()):
        there = here + jump
        order[here], order[there] = order[there], order[here]
    return np.array(order, np.int32)


def _philox(key, counter, num_blocks):
    """Returns the words of blocks of four, `uint32`, one after the other."""
    low, high = (np.full(num_blocks, word, np.uint64) for word in counter)
    low += np.arange(num_blocks, dtype=np.uint64)
    high += (low < np.uint64(counter[0])).astype(np.uint64)
    x = [low & _LOWER, low >> _HALF, high & _LOWER, high >> _HALF]
    key_0, key_1 = np.uint64(key) & _LOWER, np.uint64(key) >> _HALF
    for _ in range(10):
        one = x[0] * np.uint64(0xD2511F53)
        two = x[2] * np.uint64(0xCD9E8D57)
        x = [
            (two >> _HALF) ^ x[1] ^ key_0,
            two & _LOWER,
            (one >> _HALF) ^ x[3] ^ key_1,
            one & _LOWER,
        ]
        key_0 = (key_0 + np.uint64(0x9E3779B9)) & _LOWER
        key_1 = (key_1 + np.uint64(0xBB67AE85)) & _LOWER
    return np.stack(x, axis=1).astype(np.uint32).ravel()


def _first_value(jax, variable, seeds, stored):
    """Returns the value that a variable begins with, on the device."""
    seed, number = seeds
    shape, dtype = tuple(variable["shape"]), variable["dtype"]
    if variable["kind"] == "values":
        return _put(jax, stored[f"variable_{number}"])
    if variable["kind"] == "zeros":
        return jax.numpy.zeros(shape, dtype)
    key = jax.random.fold_in(jax.random.key(seed), number)
    if variable["kind"] == "uniform":
        sample = jax.random.uniform(key, shape, dtype, -1.0, 1.0)
    else:
        sample = jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)
    return sample * jax.numpy.asarray(variable["scale"], dtype)


def _jax():
    try:
        import jax
    except ImportError as error:
        _stop(f"expected JAX to be installed; {error}.")
    # TensorFlow counts in int64, and predictions are summed in float64.
    jax.config.update("jax_enable_x64", True)
    return jax


def _compiled(jax, text):
    """Compiles a program for the first device; all that JAX may rename.

    Args:
        jax: the module.
        text: the program, StableHLO.

    Returns:
        A function from a list of arrays on the device to such a list. Arrays
        that the program updates in place are gone after a call.
    """
    device = jax.devices()[0]
    try:
        from jaxlib import _jax as runtime
        from jaxlib import xla_client

        executable = device.client.compile_and_load(
            text, runtime.DeviceList((device,)), xla_client.CompileOptions()
        )
        execute = executable.execute_sharded
    except (ImportError, AttributeError, TypeError) as error:
        _stop(
            "expected a JAX that compiles as 0.10 does; got "
            f"{jax.__version__}: {str(error).partition(chr(10))[0]}"
        )

    def call(arrays):
        found = execute(arrays).disassemble_into_single_device_arrays()
        return [shards[0] for shards in found]

    return call


def _put(jax, array):
    return jax.device_put(np.asarray(array), jax.devices()[0])


def _write(path, content):
    """Writes a text or arrays, in one step as seen from outside."""
    temporary = path.with_name(f".{path.stem}.partial{path.suffix}")
    if isinstance(content, str):
        temporary.write_text(content)
    else:
        np.savez_compressed(temporary, **content)
    os.replace(temporary, path)


def _stop(text):
    raise SystemExit(f"error: {text}")


if __name__ == "__main__":
    main()

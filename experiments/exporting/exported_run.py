"""One exported run: its programs, and its variables on the device."""

import gzip
import time
import zlib

import numpy as np

from experiments import arrays
from experiments import files
from experiments.errors import ExperimentError
from experiments.exporting import runtime
from experiments.exporting import shuffling

# Of the folder of an export: its files and what they hold.
FORMAT = 2


class ExportedRun:
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
        self._described = files.read_json(folder / "run.json")
        self.num_epochs = len(self._described["epoch_keys"])
        stored = arrays.read(folder / "values.npz")
        self._named = {**data}
        for key in stored:
            if key.startswith("constant_"):
                self._named[key] = runtime.put(jax, stored[key])
        # Compiled first: what cannot be run is told before anything is.
        self._programs = {}
        began, used = time.monotonic(), time.process_time()
        for name, program in self._described["programs"].items():
            text = _unpacked(folder / program["file"])
            compiled = runtime.compiled(jax, text.decode("utf-8"))
            self._programs[name] = (compiled, program)
        # Those of the processor say more, where others work beside it.
        self._compile_seconds = time.monotonic() - began
        self._compile_cpu_seconds = time.process_time() - used
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
            shuffling.shuffled(count, *words)
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
            "platform": device.platform,
            "device": device.device_kind,
            "jax": self._jax.__version__,
            "compile_seconds": self._compile_seconds,
            "compile_cpu_seconds": self._compile_cpu_seconds,
        }

    def state(self):
        """Returns all that training goes on from, arrays by name."""
        return {
            f"variable_{number}": np.asarray(variable)
            for number, variable in enumerate(self._variables)
        }

    def restore(self, state):
        """Takes on what `state` returned."""
        self._variables = [
            runtime.put(self._jax, state[f"variable_{number}"])
            for number in range(len(self._variables))
        ]

    def _call(self, name, **arguments):
        compiled, program = self._programs[name]
        named = {key: runtime.put(self._jax, x) for key, x in arguments.items()}
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


def _first_value(jax, variable, seeds, stored):
    """Returns the value that a variable begins with, on the device."""
    seed, number = seeds
    shape, dtype = tuple(variable["shape"]), variable["dtype"]
    if variable["kind"] == "values":
        return runtime.put(jax, stored[f"variable_{number}"])
    if variable["kind"] == "zeros":
        return jax.numpy.zeros(shape, dtype)
    key = jax.random.fold_in(jax.random.key(seed), number)
    if variable["kind"] == "uniform":
        sample = jax.random.uniform(key, shape, dtype, -1.0, 1.0)
    else:
        sample = jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)
    return sample * jax.numpy.asarray(variable["scale"], dtype)


def _unpacked(path):
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ExperimentError(
            f"{path}: expected a whole program; {error}."
        ) from error

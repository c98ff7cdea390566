"""What a training step on two replicas costs, beside one device.

python -m benchmarks.replicas

Bytes are arithmetic: in each step a replica sends, and receives, the gradients
of all parameters in float32, 2 (n - 1) / n times in a ring of n. Draws are made
by each replica for itself and not sent. The seconds of a step are told as
ratios to one process with the same global batch: two replicas on one machine's
cores are not faster, and what is seen is what it costs to have them. Beside
them, over how many steps the losses agree. Prints JSON.
"""

import json
import os
import pathlib
import statistics
import tempfile
import time

import keras
import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

import bbh_tf as bbh
from benchmarks import flag_lists
from benchmarks import loopback

_NUM_STEPS = flags.DEFINE_integer(
    "num_steps", 30, "Steps of each training.", lower_bound=6
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 100, "The whole batch.", lower_bound=1
)
_CHILD = flags.DEFINE_string(
    "child", None, "For the command's own use: how this process trains."
)
_WARM_UP = 5
_TOLERANCE = 1e-5


def _implicit(units):
    return bbh.posteriors.Implicit(bbh.hypernetworks.MLP(units))


# Name -> what it is, the posterior.
_FORMS = {
    "plain": ("plain LeNet", lambda: None),
    "bbb": ("Bayes by Backprop", bbh.posteriors.MeanField),
    "layerwise": (
        "Bayes by Hypernet, layer-wise, 512 wide",
        lambda: _implicit((64, 256, 512)),
    ),
    "narrow": (
        "Bayes by Hypernet, layer-wise, 16 wide",
        lambda: _implicit((64, 256, 16)),
    ),
    "sliced": (
        "Bayes by Hypernet, sliced",
        lambda: bbh.posteriors.Implicit(bbh.hypernetworks.Sliced()),
    ),
}
_TIMED = flag_lists.names(
    "timed", ["bbb", "narrow"], _FORMS, "Forms whose steps are timed."
)


def _wire(form):
    """Returns parameters, and bytes that a replica of two sends in a step."""
    network = bbh.models.lenet(_FORMS[form][1]())
    count = int(sum(np.prod(v.shape) for v in network.trainable_variables))
    return {"name": _FORMS[form][0], "parameters": count, "bytes": 4 * count}


def _strategy(kind):
    if kind == "workers":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if kind == "one":
        return tf.distribute.get_strategy()
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


class _Steps(keras.callbacks.Callback):
    """Keeps the loss of each step by itself, and its seconds."""

    def __init__(self):
        super().__init__()
        self.losses, self.seconds = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()
        self._started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(float(logs["loss"]))
        self.seconds.append(time.perf_counter() - self._started)


def _train(kind, form):
    """Trains on noise; returns the losses and the median of the seconds."""
    strategy = _strategy(kind)
    keras.utils.set_random_seed(0)
    with strategy.scope():
        divergence = bbh.divergences.KernelKL()
        if form == "bbb":
            divergence = bbh.divergences.AnalyticKL()
        model = bbh.models.BayesianModel(
            bbh.models.lenet(_FORMS[form][1]()),
            55_000,
            divergence=divergence,
            seed=0,
        )
        model.compile(bbh.optimizers.FusedAdam(1e-4), jit_compile=False)
    count = _NUM_STEPS.value * _BATCH_SIZE.value
    generator = np.random.default_rng(0)
    steps = _Steps()
    model.fit(
        generator.random((count, 28, 28, 1), np.float32),
        generator.integers(0, 10, count),
        batch_size=_BATCH_SIZE.value,
        shuffle=False,
        verbose=0,
        callbacks=[steps],
    )
    return steps.losses, statistics.median(steps.seconds[_WARM_UP:])


def _measure(kind, form):
    """Trains in processes of its own; returns what `_train` does."""
    arguments = [
        "-m",
        "benchmarks.replicas",
        f"--child={kind}:{form}",
        f"--num_steps={_NUM_STEPS.value}",
        f"--batch_size={_BATCH_SIZE.value}",
    ]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        count = 2 if kind == "workers" else 1
        processes = loopback.start(arguments, folder, count)
        done = loopback.wait(processes, folder, 900)
    for status, output in done:
        if status:
            raise RuntimeError(output)
    return json.loads(done[0][1].splitlines()[-1])


def _agreeing(one, other):
    """Returns how many steps there are before losses differ."""
    close = np.isclose(other, one, rtol=_TOLERANCE, atol=0)
    return int(np.argmin(close)) if not close.all() else len(close)


def run():
    """Returns a dictionary from forms to what was found."""
    found = {form: _wire(form) for form in _FORMS}
    for form in _TIMED.value:
        losses, seconds = _measure("one", form)
        for kind in ("mirrored", "workers"):
            other, its_seconds = _measure(kind, form)
            found[form][kind] = {
                "step_ratio": its_seconds / seconds,
                "steps_that_agree": _agreeing(losses, other),
            }
    return {"cores": os.cpu_count(), "forms": found}


def main(_):
    if _CHILD.value:
        print(json.dumps(_train(*_CHILD.value.split(":"))))
    else:
        print(json.dumps(run(), indent=2))


if __name__ == "__main__":
    app.run(main)

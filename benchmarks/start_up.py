"""Times what a user waits for: the import, and tracing of the first step.

Each measurement runs in a Python of its own; the least of several counts.
The step of LeNet is traced as a plain Keras model, under Bayes by Backprop and
under Bayes by Hypernet; beside the latter stands a plain Keras model with as
many layers as LeNet and its hypernetworks have together.
"""

import json
import subprocess
import sys

from absl import app
from absl import flags

_REPEATS = flags.DEFINE_integer(
    "repeats", 5, "Times that each is measured.", lower_bound=1
)
_TIMED = """
import os, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
{before}
started = time.perf_counter()
{what}
print(time.perf_counter() - started)
"""
_TRACE = """
import keras, numpy as np, tensorflow as tf
import bbh_tf as bbh
small = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
small.compile("adam", "mse")
small.train_on_batch(np.zeros((2, 4)), np.zeros((2, 3)))
{model}
if isinstance(model, bbh.models.BayesianModel):
    model.compile(bbh.optimizers.FusedAdam())
else:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss)
model.optimizer.build(model.trainable_variables)
x, y = tf.zeros((100, *model.input_shape[1:])), tf.zeros(100, tf.int32)
step = tf.function(lambda x, y: model.train_step((x, y)), autograph=False)
"""
_LENET = "model = bbh.models.lenet()"
_BAYESIAN = """
network = bbh.models.lenet(bbh.posteriors.{posterior}())
model = bbh.models.BayesianModel(
    network, 55_000, divergence=bbh.divergences.{divergence}(), seed=0
)
model.input_shape = network.input_shape
"""
_DEEP = """
model = keras.Sequential(
    [keras.Input((32,))]
    + [keras.layers.Dense(32, activation="relu") for _ in range({layers})]
    + [keras.layers.Dense(10)]
)
"""
# Eight hypernetworks of four layers, and LeNet's own four.
_LAYERS = 36
_MODELS = {
    "lenet": _LENET,
    "lenet_bbb": _BAYESIAN.format(
        posterior="MeanField", divergence="AnalyticKL"
    ),
    "lenet_bbh": _BAYESIAN.format(posterior="Implicit", divergence="KernelKL"),
    "as_deep_as_lenet_bbh": _DEEP.format(layers=_LAYERS - 1),
}


def seconds(before, what):
    """Returns the least time that a statement takes in a fresh Python."""
    program = _TIMED.format(before=before, what=what)
    times = []
    for _ in range(_REPEATS.value):
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
        )
        times.append(float(done.stdout.split()[-1]))
    return min(times)


def main(_):
    """Prints the measurements."""
    base = seconds("", "import tensorflow, keras; keras.layers")
    ours = seconds("", "import bbh_tf")
    result = {
        "import_tensorflow_and_keras": base,
        "import_bbh_tf": ours,
        "import_ratio": ours / base,
    }
    for name, model in _MODELS.items():
        result[f"trace_{name}"] = seconds(
            _TRACE.format(model=model), "step.get_concrete_function(x, y)"
        )
    for name, of in (
        ("lenet_bbb", "lenet"),
        ("lenet_bbh", "lenet"),
        ("lenet_bbh", "as_deep_as_lenet_bbh"),
    ):
        ratio = result[f"trace_{name}"] / result[f"trace_{of}"]
        result[f"trace_{name}_over_{of}"] = ratio
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    app.run(main)

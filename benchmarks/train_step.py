"""Times a training step of Bayes by Hypernet against the memory's limit.

A step must read the hypernetworks' parameters forward and backward, and read
gradient-updated parameters and two moments and write them: 8 passes over the
parameters' bytes, if no gradient is ever written to memory. Beside it, the step
of the same network without hypernetworks.
"""

import json
import math
import os

import keras
import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

import bbh_tf as bbh
from bbh_tf import memory
from bbh_tf.layers import drawing
from benchmarks import measure

_NETWORK = flags.DEFINE_enum(
    "network", "lenet", ["lenet", "resnet32"], "Whose weights are random."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 100, "Examples in a batch.")
_NUM_SAMPLES = flags.DEFINE_integer("num_samples", 5, "Samples of the KL.")
_NOISE_DIM = flags.DEFINE_integer("noise_dim", 1, "Dimension of the noise.")
_REPEATS = flags.DEFINE_integer("repeats", 15, "Steps that are timed.")
_STOCK = flags.DEFINE_bool("stock_adam", False, "Use Keras' own Adam.")
_PASSES = 8
# Network -> how it is made, shape of an image, classes, training images.
_NETWORKS = {
    "lenet": (bbh.models.lenet, (28, 28, 1), 10, 55_000),
    "resnet32": (bbh.models.resnet32, (24, 24, 3), 5, 25_000),
}


def run():
    """Measures a step.

    Returns:
        Dictionary of floats: seconds, bytes and ratios.
    """
    make, image_shape, num_classes, num_train = _NETWORKS[_NETWORK.value]
    # TensorFlow itself, before there is a model.
    start = measure.peak_bytes()
    network = make(bbh.posteriors.Implicit(noise_dim=_NOISE_DIM.value))
    model = bbh.models.BayesianModel(
        network, num_train, num_samples=_NUM_SAMPLES.value, seed=0
    )
    adam = keras.optimizers.Adam if _STOCK.value else bbh.optimizers.FusedAdam
    model.compile(adam(1e-4))
    generator = np.random.default_rng(0)
    x = generator.random((_BATCH_SIZE.value, *image_shape), np.float32)
    y = generator.integers(0, num_classes, _BATCH_SIZE.value)
    seconds = measure.median_seconds(
        lambda: model.train_on_batch(x, y), 5, _REPEATS.value
    )
    peak = measure.peak_bytes()
    count = sum(np.prod(v.shape) for v in model.trainable_variables)
    result = {
        "parameters": int(count),
        "step_seconds": seconds,
        "start_bytes": start,
        "peak_bytes": peak,
        "peak_over_parameter_bytes": peak / (4.0 * count),
        "growth_over_parameter_bytes": (peak - start) / (4.0 * count),
    }
    plain = make()
    plain.compile(
        adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    plain_seconds = measure.median_seconds(
        lambda: plain.train_on_batch(x, y), 5, _REPEATS.value
    )
    result["plain_step_seconds"] = plain_seconds
    result["step_over_plain_step"] = seconds / plain_seconds
    result["parts"] = _parts(model, plain, x, y)
    for name, cores in (("one_core", 1), ("all_cores", os.cpu_count())):
        bandwidth = measure.copy_bandwidth(cores)
        result[name] = {
            "copy_bandwidth_bytes_per_second": bandwidth,
            "floor_seconds": _PASSES * 4 * count / bandwidth,
            "step_over_floor": seconds * bandwidth / (_PASSES * 4 * count),
        }
    return result


def _parts(model, plain, x, y):
    """Times parts of a step, each compiled by itself, in seconds."""
    x, y = tf.constant(x), tf.constant(y)
    layers = model.bayesian_layers
    size = sum(
        math.prod(variable.shape)
        for layer in layers
        for variable in layer.replaced_variables
    )
    count = model.num_samples
    key = bbh.randomness.key(0)
    points, prior = (
        bbh.randomness.normal(bbh.randomness.key(k), count, (size,))
        for k in (1, 2)
    )

    def kl():
        with tf.GradientTape() as tape:
            tape.watch(points)
            value = model.divergence(points, prior)
        return tape.gradient(value, points)

    def network():
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                y, plain(x, training=True)
            )
        return tape.gradient(losses, plain.trainable_variables)

    parts = {
        "hypernetworks_forward": lambda: drawing.sample(layers, count, key)[0],
        "prior_samples": lambda: bbh.randomness.normal(key, count, (size,)),
        "kl_with_gradient": kl,
        "network_with_gradient": network,
    }
    return {
        name: measure.median_seconds(
            tf.function(part, autograph=False), 3, _REPEATS.value
        )
        for name, part in parts.items()
    }


def main(_):
    """Prints the measurements."""
    result = run()
    print(json.dumps(result, indent=2))
    print(
        f"step {result['step_seconds']:.3f} s; peak "
        f"{memory.format_bytes(result['peak_bytes'])}, "
        f"{result['peak_over_parameter_bytes']:.2f} x the parameters, "
        f"{result['growth_over_parameter_bytes']:.2f} x less what the process "
        "held before; "
        f"{result['step_over_plain_step']:.2f} x the step of the plain "
        f"network, {result['plain_step_seconds']:.3f} s"
    )
    for name in ("one_core", "all_cores"):
        floor = result[name]
        print(
            f"{floor['step_over_floor']:.2f} x the floor of {_PASSES} passes "
            f"at the {floor['copy_bandwidth_bytes_per_second'] / 1e9:.1f} GB/s "
            f"that {name.replace('_', ' ')} copied in this run"
        )


if __name__ == "__main__":
    app.run(main)

"""Times a training step of Bayes by Hypernet against the memory's limit.

A step must read the hypernetworks' parameters forward and backward, and read
gradient-updated parameters and two moments and write them: 8 passes over the
parameters' bytes, if no gradient is ever written to memory. Beside it, the step
of the same network without hypernetworks, and that of other widths of the last
hidden layer and other estimates of the KL.
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
_WIDTHS = flags.DEFINE_list(
    "widths", ["512", "16"], "Widths of the last hidden layer."
)
_ESTIMATES = {
    "kernel_1": lambda: bbh.divergences.KernelKL(),
    "entropy_1": lambda: bbh.divergences.NearestNeighbourEntropy(),
    "entropy_3": lambda: bbh.divergences.NearestNeighbourEntropy(3),
}
_ONLY = flags.DEFINE_list(
    "estimates", list(_ESTIMATES), "Estimates of the KL, and their neighbour."
)
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
    x, y = _batch()
    # TensorFlow itself, before there is a model.
    start = measure.peak_bytes()
    model = _model(512, "kernel_1")
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
    plain = _plain()
    result["plain_step_seconds"] = plain_seconds = measure.median_seconds(
        lambda: plain.train_on_batch(x, y), 5, _REPEATS.value
    )
    result["step_over_plain_step"] = seconds / plain_seconds
    for name, cores in (("one_core", 1), ("all_cores", os.cpu_count())):
        bandwidth = measure.copy_bandwidth(cores)
        result[name] = {
            "copy_bandwidth_bytes_per_second": bandwidth,
            "floor_seconds": _PASSES * 4 * count / bandwidth,
            "step_over_floor": seconds * bandwidth / (_PASSES * 4 * count),
        }
    result["parts"] = _parts(model, plain, x, y)
    result["forms"] = _forms(plain, x, y)
    return result


def _batch():
    _, image_shape, num_classes, _ = _NETWORKS[_NETWORK.value]
    generator = np.random.default_rng(0)
    x = generator.random((_BATCH_SIZE.value, *image_shape), np.float32)
    return x, generator.integers(0, num_classes, _BATCH_SIZE.value)


def _adam(rate):
    adam = keras.optimizers.Adam if _STOCK.value else bbh.optimizers.FusedAdam
    return adam(rate)


def _plain():
    plain = _NETWORKS[_NETWORK.value][0]()
    plain.compile(
        _adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return plain


def _model(width, estimate):
    make, _, _, num_train = _NETWORKS[_NETWORK.value]
    hypernetwork = bbh.hypernetworks.MLP((64, 256, width))
    model = bbh.models.BayesianModel(
        make(bbh.posteriors.Implicit(hypernetwork, noise_dim=_NOISE_DIM.value)),
        num_train,
        divergence=_ESTIMATES[estimate](),
        num_samples=_NUM_SAMPLES.value,
        seed=0,
    )
    model.compile(_adam(1e-4))
    return model


def _forms(plain, x, y):
    """Times forms of Bayes by Hypernet, each in turn with the plain network.

    Returns:
        Dictionary from names to ratios of a step to the plain network's.
    """
    ratios = {}
    for width in map(int, _WIDTHS.value):
        for estimate in _ONLY.value:
            model = _model(width, estimate)
            steps = [
                lambda model=model: model.train_on_batch(x, y)
                for model in (plain, model)
            ]
            for step in steps:
                measure.median_seconds(step, 5, 1)
            one, other = measure.median_seconds_in_turn(steps, _REPEATS.value)
            ratios[f"{width}_{estimate}"] = other / one
    return ratios


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
    (density,) = bbh.priors.Normal().distributions([None])

    def kl(estimate):
        with tf.GradientTape() as tape:
            tape.watch(points)
            value = estimate(
                points,
                prior
                if isinstance(estimate, bbh.divergences.SampleDivergence)
                else density,
            )
        return tape.gradient(value, points)

    def network():
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                y, plain(x, training=True)
            )
        return tape.gradient(losses, plain.trainable_variables)

    parts = {
        "hypernetworks_forward": lambda: [
            draw.samples for draw in drawing.sample(layers, count, key)
        ],
        "prior_samples": lambda: bbh.randomness.normal(key, count, (size,)),
        **{
            f"{name}_with_gradient": lambda name=name: kl(_ESTIMATES[name]())
            for name in _ONLY.value
        },
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

"""Times a training step of Bayes by Hypernet against the memory's limit.

A step must read the hypernetworks' parameters forward and backward, and read
gradient-updated parameters and two moments and write them: 8 passes over the
parameters' bytes, if no gradient is ever written to memory. Beside it, the step
of the same network without hypernetworks, and that of other widths of the last
hidden layer, other estimates of the KL and other posteriors.
"""

import functools
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
from benchmarks import flag_lists
from benchmarks import measure

_NETWORK = flags.DEFINE_enum(
    "network", "lenet", ["lenet", "resnet32"], "Whose weights are random."
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 100, "Examples in a batch.", lower_bound=1
)
_NUM_SAMPLES = flags.DEFINE_integer(
    "num_samples", 5, "Samples of the KL.", lower_bound=1
)
_NOISE_DIM = flags.DEFINE_integer(
    "noise_dim", 1, "Dimension of the noise.", lower_bound=1
)
_REPEATS = flags.DEFINE_integer(
    "repeats", 15, "Steps that are timed.", lower_bound=1
)
_PARTS = flags.DEFINE_integer(
    "parts",
    1,
    "Parts of the batch, each under a draw of its own.",
    lower_bound=1,
)
_LEARNED_PRIOR_SCALE = flags.DEFINE_bool(
    "learned_prior_scale", False, "Learn the scale of each tensor's prior."
)
_STOCK = flags.DEFINE_bool("stock_adam", False, "Use Keras' own Adam.")
_WIDTHS = flag_lists.numbers(
    "widths", ["512", "16"], "Widths of the last hidden layer.", int, 1
)
_ESTIMATES = {
    "kernel_1": lambda: bbh.divergences.KernelKL(),
    "entropy_1": lambda: bbh.divergences.NearestNeighbourEntropy(1),
    "entropy_3": lambda: bbh.divergences.NearestNeighbourEntropy(3),
}
_ONLY = flag_lists.names(
    "estimates",
    list(_ESTIMATES),
    _ESTIMATES,
    "Estimates of the KL, and their neighbour.",
    fewest=1,
)
_OTHERS = {
    "mean_field": lambda: bbh.posteriors.MeanField(),
    "matrix_product": lambda: bbh.posteriors.Implicit(
        bbh.hypernetworks.MatrixProduct(), noise_dim=_NOISE_DIM.value
    ),
    "sliced": lambda: bbh.posteriors.Implicit(
        bbh.hypernetworks.Sliced(), noise_dim=_NOISE_DIM.value
    ),
}
_POSTERIORS = flag_lists.names(
    "posteriors",
    [],
    _OTHERS,
    f"Other posteriors to time, of {', '.join(_OTHERS)}: mean_field with its "
    "density, one draw; the others with the last of --estimates.",
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
    hypernetwork = bbh.hypernetworks.MLP((64, 256, width))
    posterior = bbh.posteriors.Implicit(
        hypernetwork, noise_dim=_NOISE_DIM.value
    )
    return _model_of(posterior, _ESTIMATES[estimate](), _NUM_SAMPLES.value)


def _other(name):
    if name == "mean_field":
        return _model_of(_OTHERS[name](), bbh.divergences.MonteCarloKL(), 1)
    divergence = _ESTIMATES[_ONLY.value[-1]]()
    return _model_of(_OTHERS[name](), divergence, _NUM_SAMPLES.value)


def _model_of(posterior, divergence, num_samples):
    make, _, _, num_train = _NETWORKS[_NETWORK.value]
    prior = None
    if _LEARNED_PRIOR_SCALE.value:
        prior = bbh.priors.NormalLearnedScale()
    model = bbh.models.BayesianModel(
        make(posterior, prior),
        num_train,
        divergence=divergence,
        num_samples=num_samples,
        num_likelihood_samples=_PARTS.value,
        split_batches=_PARTS.value > 1,
        seed=0,
    )
    model.compile(_adam(1e-4))
    return model


def _forms(plain, x, y):
    """Times forms of Bayes by Hypernet, each in turn with the plain network.

    Returns:
        Dictionary from names to the ratio of a step to the plain network's, and
        to seconds of the plain step and of parts, each compiled by itself.
    """
    forms = {
        f"{width}_{estimate}": functools.partial(_model, int(width), estimate)
        for width in _WIDTHS.value
        for estimate in _ONLY.value
    }
    forms |= {
        name: functools.partial(_other, name) for name in _POSTERIORS.value
    }
    return {name: _form(make(), plain, x, y) for name, make in forms.items()}


def _form(model, plain, x, y):
    steps = [lambda one=one: one.train_on_batch(x, y) for one in (plain, model)]
    for step in steps:
        measure.median_seconds(step, 5, 1)
    one, other = measure.median_seconds_in_turn(steps, _REPEATS.value)
    variables = model.trainable_variables
    gradients = [tf.fill(v.shape, 1e-3) for v in variables]
    key = bbh.randomness.key(0)

    def draws():
        with tf.GradientTape() as tape:
            drawn = drawing.sample(model.random_layers, model.num_samples, key)
            total = tf.add_n(
                [tf.reduce_sum(x * x) for draw in drawn for x in draw.samples]
            )
        return tape.gradient(total, variables)

    def update():
        model.optimizer.apply_gradients(zip(gradients, variables))
        return tf.constant(0)

    return {
        "step_over_plain_step": other / one,
        "step_seconds": other,
        "plain_step_seconds": one,
        **{
            f"{name}_seconds": measure.median_seconds(
                tf.function(part, autograph=False), 3, _REPEATS.value
            )
            for name, part in (
                ("draws_with_gradient", draws),
                ("update", update),
            )
        },
        "parameters": int(sum(np.prod(v.shape) for v in variables)),
    }


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

"""Times a training step of a Bayesian hypernetwork over the plain network's.

The network is the paper's for MNIST with two hidden layers, 784-800-800-10: a
flow over its 1,610 scales. Beside the ratio, the bytes that a step of each must
move: parameters read forward and backward, and parameters, gradient and Adam's
two moments read and written. With one draw a step, each parameter of the flow
is used for one multiplication, so its bytes are what it costs.
"""

import json

import keras
import numpy as np
from absl import app
from absl import flags

import bbh_tf as bbh
from benchmarks import flag_lists
from benchmarks import measure

_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 128, "Examples in a batch.", lower_bound=1
)
_REPEATS = flags.DEFINE_integer(
    "repeats", 15, "Steps that are timed.", lower_bound=1
)
_NUM_LAYERS = flag_lists.numbers(
    "num_layers",
    ["0", "4", "8"],
    "Numbers of couplings, each in turn.",
    int,
    0,
)
_FLOW_UNITS = flags.DEFINE_integer(
    "flow_units", 200, "Width of the couplings' hidden layer.", lower_bound=1
)
_WIDTHS = (784, 800, 800, 10)
_NUM_TRAIN = 50_000
# Read forward and backward; parameter and moments read and written.
_PASSES = 8


def network():
    """Returns the plain network, with logits."""
    return keras.Sequential(
        [
            keras.Input(_WIDTHS[:1]),
            *[
                keras.layers.Dense(width, activation="relu")
                for width in _WIDTHS[1:-1]
            ],
            keras.layers.Dense(_WIDTHS[-1]),
        ]
    )


def run():
    """Times each number of couplings in turn with the plain network.

    Returns:
        Dictionary of the plain network's parameters, and from numbers of
        couplings to parameters, seconds and ratios.
    """
    generator = np.random.default_rng(0)
    x = generator.random((_BATCH_SIZE.value, _WIDTHS[0]), np.float32)
    y = generator.integers(0, _WIDTHS[-1], _BATCH_SIZE.value)
    plain = network()
    plain.compile(
        bbh.optimizers.FusedAdam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    bandwidth = measure.copy_bandwidth(1)
    result = {
        "plain_parameters": plain.count_params(),
        "copy_bandwidth_bytes_per_second": bandwidth,
    }
    for text in _NUM_LAYERS.value:
        model = _model(int(text))
        steps = [
            lambda one=one: one.train_on_batch(x, y) for one in (plain, model)
        ]
        for step in steps:
            measure.median_seconds(step, 5, 1)
        one, other = measure.median_seconds_in_turn(steps, _REPEATS.value)
        count = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
        result[text] = {
            "parameters": count,
            "plain_step_seconds": one,
            "step_seconds": other,
            "step_over_plain_step": other / one,
            "bytes_moved": _PASSES * 4 * count,
            "floor_seconds": _PASSES * 4 * count / bandwidth,
        }
    return result


def _model(num_layers):
    flow = bbh.flows.real_nvp(num_layers, (_FLOW_UNITS.value,), seed=0)
    model = bbh.models.BayesianModel(
        bbh.models.bayesify(
            network(), bbh.posteriors.WeightNormFlow(flow), scope="network"
        ),
        _NUM_TRAIN,
        divergence=bbh.divergences.MonteCarloKL(),
        num_samples=1,
        seed=0,
    )
    model.compile(bbh.optimizers.FusedAdam(1e-3))
    return model


def main(_):
    """Prints the measurements."""
    print(json.dumps(run(), indent=2))


if __name__ == "__main__":
    app.run(main)

"""Times predictions with many draws against as many passes of a plain network.

Bayes by Hypernet on LeNet: each draw runs the hypernetworks once, and then
the network over all images. The floor is the network alone, called as often.
"""

import json

import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

import bbh_tf as bbh
from bbh_tf import memory
from benchmarks import measure

_NUM_DRAWS = flags.DEFINE_integer(
    "num_draws", 100, "Draws of the weights.", lower_bound=1
)
_NUM_IMAGES = flags.DEFINE_integer(
    "num_images", 10_000, "Images.", lower_bound=1
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 1000, "Images in a batch.", lower_bound=1
)
_REPEATS = flags.DEFINE_integer(
    "repeats", 3, "Predictions that are timed.", lower_bound=1
)


def run():
    """Measures predictions.

    Returns:
        Dictionary of floats: seconds, bytes and ratios. Both sides are timed
        in turn, so that a machine that slows down slows both.
    """
    images = np.random.default_rng(0).random(
        (_NUM_IMAGES.value, 28, 28, 1), np.float32
    )
    network = bbh.models.lenet(bbh.posteriors.Implicit())
    model = bbh.models.BayesianModel(network, 55_000, seed=0)
    plain = bbh.models.lenet()
    forward = tf.function(lambda x: plain(x, training=False), autograph=False)
    batches = [
        tf.constant(images[start : start + _BATCH_SIZE.value])
        for start in range(0, len(images), _BATCH_SIZE.value)
    ]

    def pass_plainly():
        for _ in range(_NUM_DRAWS.value):
            for batch in batches:
                forward(batch)

    def predict(num_draws=_NUM_DRAWS.value):
        model.predict(
            images,
            num_samples=num_draws,
            batch_size=_BATCH_SIZE.value,
            verbose=0,
        )

    forward(batches[0])
    few = max(1, _NUM_DRAWS.value // 10)
    predict(few)
    measure.reset_peak()
    predict(few)
    peak_of_few = measure.peak_bytes()
    measure.reset_peak()
    plain_seconds, predict_seconds = measure.median_seconds_in_turn(
        [pass_plainly, predict], _REPEATS.value
    )
    return {
        "draws": _NUM_DRAWS.value,
        "images": _NUM_IMAGES.value,
        "predict_seconds": predict_seconds,
        "plain_seconds": plain_seconds,
        "predict_over_plain": predict_seconds / plain_seconds,
        "peak_bytes": measure.peak_bytes(),
        "peak_bytes_with_a_tenth_of_the_draws": peak_of_few,
    }


def main(_):
    """Prints the measurements."""
    result = run()
    print(json.dumps(result, indent=2))
    peaks = [
        memory.format_bytes(result[name])
        for name in ("peak_bytes", "peak_bytes_with_a_tenth_of_the_draws")
    ]
    print(
        f"{result['draws']} draws x {result['images']:,} images: "
        f"{result['predict_seconds']:.1f} s, "
        f"{result['predict_over_plain']:.2f} x the plain network's "
        f"{result['plain_seconds']:.1f} s; peak {peaks[0]}, with a tenth of "
        f"the draws {peaks[1]}"
    )


if __name__ == "__main__":
    app.run(main)

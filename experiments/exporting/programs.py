"""A run's training and prediction, each as one TensorFlow function for XLA."""

import numpy as np
import tensorflow as tf

from bbh_tf import randomness
from bbh_tf.layers import drawing
from bbh_tf.models import calibration
from bbh_tf.models import uncertainty_of_draws
from experiments import building
from experiments import inputs
from experiments import run_config
from experiments.exporting import images as export_images

# As many as `building.predict_samples` takes: where normalisation looks at the
# batch, they belong to the prediction.
_BATCH_SIZE = 1000


def train_epoch(config, model, data):
    """Makes the function that trains a model for an epoch.

    XLA cannot shuffle as TensorFlow does, so the order of the examples is an
    argument; see `epoch_keys`.

    Args:
        config: a `RunConfig`.
        model: a compiled model, from `building.build`; its metrics and the
            state of its optimiser are made here.
        data: a `bbh_tf.datasets.ImageData`.

    Returns:
        A `tf.function` of `(train_images, train_values, train_labels, order,
        epoch, num_steps)`: all training images and their values, as
        `export_images` has them; labels; an `int32` tensor `(members,
        examples)`; the number of the epoch from 0, `int64`; and how many of
        its steps to take, `int32`. It returns a dictionary of the epoch's
        metrics.
    """
    batch_size = config.batch_size
    num_full, rest = divmod(len(data.train_images), batch_size)
    per_epoch = run_config.steps_per_epoch(config)
    no_prediction = np.zeros((1, data.num_classes), np.float32)
    model.compute_metrics(None, data.train_labels[:1], no_prediction)
    model.optimizer.build(model.trainable_variables)

    def train(
        train_images, train_values, train_labels, order, epoch, num_steps
    ):
        def take_step(step, size):
            start = tf.stack([0, step * batch_size])
            indices = tf.slice(order, start, [config.num_members, size])
            indices = tf.reshape(indices, [-1])
            images = export_images.decode(
                tf.gather(train_images, indices), train_values
            )
            number = epoch * per_epoch + tf.cast(step, tf.int64)
            seen = inputs.for_training(config, images, number)
            model.train_step((seen, tf.gather(train_labels, indices)))
            return step + 1

        model.reset_metrics()
        last = tf.while_loop(
            lambda step: step < tf.minimum(num_steps, num_full),
            lambda step: [take_step(step, batch_size)],
            [tf.constant(0)],
        )[0]
        if rest and config.num_steps is None:
            take_step(last, rest)
        elif rest:
            # The epoch may be cut short. A condition might copy all variables,
            # so there is none where it cannot.
            tf.cond(
                num_steps > num_full,
                lambda: take_step(last, rest),
                lambda: last,
            )
        found = model.get_metrics_result()
        return {
            name: found[name] for name in run_config.METRICS if name in found
        }

    return tf.function(train, jit_compile=True, autograph=False)


def epoch_keys(config):
    """Returns what the orders of the examples are made from.

    Args:
        config: a `RunConfig`.

    Returns:
        `uint64` array `(epochs, members, 3)`: for each order that
        `training.train` takes, the key and the two words of the counter of
        the Philox generator that shuffles it.
    """

    def words_of(epoch, member):
        seed = tf.constant([config.seed, epoch], tf.int64)
        if member:
            seed = tf.random.experimental.stateless_fold_in(seed, member)
        key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
        return np.concatenate([key, counter])

    return np.array(
        [
            [words_of(epoch, member) for member in range(config.num_members)]
            for epoch in range(config.epochs)
        ],
        np.uint64,
    )


def predict(config, model, data):
    """Makes the function that predicts with all draws.

    The draws are those of `building.predict_samples`, the sums, in float64,
    those of `evaluation.predictive`.

    Args:
        config: a `RunConfig`.
        model: a compiled model, from `building.build`.
        data: a `bbh_tf.datasets.ImageData`.

    Returns:
        A `tf.function` of `(train_images, train_values, test_images,
        test_values, outlier_images, outlier_values)`, images and their values
        as `export_images` has them. It returns a dictionary of `float64`
        tensors: `"test_probabilities"` `(examples, classes)`, the mean over
        the draws, `"test_expected_entropy"` `(examples,)`, the mean of the
        draws' entropies in nats, and the same of the outliers.
    """

    def means(
        train_images,
        train_values,
        test_images,
        test_values,
        outlier_images,
        outlier_values,
    ):
        parts = {
            "test": (test_images, test_values),
            "outlier": (outlier_images, outlier_values),
        }

        def add_draw(network, totals):
            new = {}
            for name, part in parts.items():
                probabilities, entropy = _predictive_of(
                    _outputs(config, network, *part)
                )
                new[f"{name}_probabilities"] = probabilities
                new[f"{name}_expected_entropy"] = entropy
            return {name: totals[name] + new[name] for name in new}

        totals = {}
        for name, (codes, _) in parts.items():
            shape = (codes.shape[0], data.num_classes)
            totals[f"{name}_probabilities"] = tf.zeros(shape, tf.float64)
            totals[f"{name}_expected_entropy"] = tf.zeros(shape[0], tf.float64)
        seen = None
        if config.normalization == "calibrated":
            codes = train_images[: building.NUM_CALIBRATION]
            seen = _inputs(config, codes, train_values)
        networks = getattr(model, "members", None)
        if networks is None:
            count = config.num_prediction_samples
            draw = _draw(model, seen)
            _, totals = tf.while_loop(
                lambda index, _: index < count,
                lambda index, totals: (
                    index + 1,
                    add_draw(draw(index), totals),
                ),
                (tf.constant(0), totals),
            )
        else:
            count = len(networks)
            for network in networks:
                run = _under(network, (), seen)
                totals = add_draw(run([]), totals)
        return {name: total / count for name, total in totals.items()}

    return tf.function(means, jit_compile=True, autograph=False)


def _draw(model, seen):
    """Returns a function from the number of a draw to the network under it."""
    layers = model.random_layers
    under = _under(model.network, layers, seen)
    key = randomness.key(model.seed, randomness.PREDICTION, 0)

    def draw(index):
        draws = drawing.sample(layers, 1, key, first=index)
        return under(drawing.weights_of(draws))

    return draw


def _under(network, layers, seen):
    """Returns a function from a draw to the network under it, a function.

    Normalisation has the statistics of the inputs `seen` under the draw, or,
    where there is none to make, under the weights; without them, its own.
    """
    found = calibration.Calibration(network, layers)

    def under(weights):
        values = []
        if seen is not None:
            statistics = found.statistics(seen, weights)
            values = list(zip(found.variables, statistics))

        def run(images):
            return drawing.call(
                network,
                layers,
                weights,
                0,
                (images,),
                {"training": False},
                values,
            )[0]

        return run

    return under


def _outputs(config, network, codes, values):
    """Runs a network batch by batch, which bounds the memory."""

    def run(part):
        return tf.cast(network(_inputs(config, part, values)), tf.float32)

    num_full, rest = divmod(codes.shape[0], _BATCH_SIZE)
    found = []
    if num_full:
        whole = codes[: num_full * _BATCH_SIZE]
        batches = tf.reshape(whole, (num_full, _BATCH_SIZE, *codes.shape[1:]))
        logits = tf.map_fn(run, batches, fn_output_signature=tf.float32)
        found.append(tf.reshape(logits, (-1, logits.shape[-1])))
    if rest:
        found.append(run(codes[num_full * _BATCH_SIZE :]))
    return tf.concat(found, axis=0)


def _inputs(config, codes, values):
    return inputs.for_prediction(config, export_images.decode(codes, values))


def _predictive_of(logits):
    probabilities = tf.nn.softmax(tf.cast(logits, tf.float64))
    return probabilities, uncertainty_of_draws.entropy(probabilities)

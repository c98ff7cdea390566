"""Running a network over data, draw by draw."""

import functools
import itertools
import math
import operator

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import randomness
from bbh_tf.layers import drawing
from bbh_tf.models import calibration

# Inputs are held in blocks of about this size while all draws pass over them,
# so that weights are generated once per draw and block, not once per batch.
_BLOCK_BYTES = 2**28
# Weights are drawn for a few draws at once: a hypernetwork's parameters are
# then read from memory once for all of them. Always as many, since a product
# of other size may round otherwise, and a draw is to be the same in any
# company.
_MOST_DRAWS_AT_ONCE = 8
_DRAW_BYTES = 2**26


class Predictor:
    """Runs the draws of a model's posterior over blocks of data.

    Args:
        network: the Keras model to run.
        layers: the random layers in it.
        seed: the model's seed, first word of all random keys.
        jit_compile: whether XLA compiles the pass through the network.
        run_eagerly: whether to compile nothing.
    """

    def __init__(self, network, layers, seed, jit_compile, run_eagerly):
        self._seed = seed
        draw_bytes = 4 * sum(layer.draw_size() for layer in layers)
        self._at_once = min(
            max(1, _DRAW_BYTES // max(1, draw_bytes)), _MOST_DRAWS_AT_ONCE
        )

        def sample(key, first):
            return drawing.sample(layers, self._at_once, key, first=first)[1]

        self._calibration = calibration.Calibration(network, layers)

        def forward(inputs, weights, statistics):
            outputs, _ = drawing.call(
                network,
                layers,
                weights,
                0,
                (inputs,),
                {"training": False},
                list(zip(self._calibration.variables, statistics)),
            )
            return tf.cast(outputs, tf.float32)

        calibrate = self._calibration.statistics

        if not run_eagerly:
            sample = tf.function(sample, autograph=False)
            forward, calibrate = (
                tf.function(
                    function,
                    autograph=False,
                    jit_compile=jit_compile,
                    reduce_retracing=True,
                )
                for function in (forward, calibrate)
            )
        self._sample = sample
        self._forward = forward
        self._calibrate = calibrate

    def weights(self, seed, index):
        """Returns draw `index` of the weights under a prediction seed.

        Returns:
            For each random layer, a list of `(1, *shape)` tensors.
        """
        group, place = divmod(index, self._at_once)
        return _pick(self._draw_group(seed, group), place)

    def _draw_group(self, seed, group):
        key = randomness.key(self._seed, drawing.PREDICTION, seed)
        first = tf.constant(group * self._at_once, tf.int32)
        return self._sample(key, first)

    def statistics(self, weights, calibration_data):
        """Returns the moving statistics that go with a draw.

        Args:
            weights: a draw, as `weights` returns it.
            calibration_data: a batch of inputs, or None.

        Returns:
            List of pairs of a variable and its value; none without data.
        """
        if calibration_data is None:
            return []
        values = self._calibrate(calibration_data, weights)
        return list(zip(self._calibration.variables, values))

    def networks(self, num_samples, seed, calibration_data=None):
        """Yields the network as a function, for each draw.

        Args:
            num_samples: number of draws.
            seed: prediction seed.
            calibration_data: see `statistics`.

        Yields:
            Functions from a batch of inputs to outputs.
        """
        for index in range(num_samples):
            group, place = divmod(index, self._at_once)
            if place == 0:
                drawn = self._draw_group(seed, group)
            weights = _pick(drawn, place)
            pairs = self.statistics(weights, calibration_data)
            yield functools.partial(
                self._forward,
                weights=weights,
                statistics=[value for _, value in pairs],
            )

    def outputs(self, inputs, num_samples, seed, calibration_data=None):
        """Yields the network's outputs for each draw.

        Args:
            inputs: list of batches.
            num_samples: number of draws.
            seed: prediction seed.
            calibration_data: see `statistics`.

        Yields:
            For each draw, a list of outputs, one for each batch.
        """
        for network in self.networks(num_samples, seed, calibration_data):
            yield [network(batch) for batch in inputs]


def room(out, start, shape):
    """Makes room for the draws of a block of examples, or finds it.

    Args:
        out: array `(num_samples, examples, ...)`, or None for a new one.
        start: number of the block's first example.
        shape: shape of its draws, `(num_samples, block_examples, ...)`.

    Returns:
        An array of that shape; a part of `out`, if given.

    Raises:
        ValueError: if `out` has another shape.
    """
    if out is None:
        return np.empty(shape, np.float32)
    found = out[:, start : start + shape[1]]
    if found.shape != shape:
        raise ValueError(
            f"Expected out to have room for {shape} from example {start} on; "
            f"got shape {out.shape}."
        )
    return found


def _pick(drawn, place):
    return [[tensor[place : place + 1] for tensor in one] for one in drawn]


def blocks(x, y=None, sample_weight=None, batch_size=None, steps=None):
    """Splits data into blocks of batches.

    Args:
        x: array, structure of arrays, `tf.data.Dataset`, `keras` data set, or
            iterator of batches `(x,)`, `(x, y)`, `(x, y, sample_weight)`.
        y: labels, where `x` holds arrays.
        sample_weight: weights, where `x` holds arrays.
        batch_size: examples in a batch, where `x` holds arrays; None for 256.
        steps: number of batches to take; None for all.

    Yields:
        Lists of `(x, y, sample_weight)`.

    Raises:
        ValueError: if there is no example or lengths differ.
    """
    if steps is not None:
        checks.check_count("steps", steps)
    block, num_bytes, empty = [], 0, True
    for batch in itertools.islice(
        _batches(x, y, sample_weight, batch_size), steps
    ):
        empty = False
        batch = keras.utils.unpack_x_y_sample_weight(batch)
        block.append(batch)
        num_bytes += sum(map(_num_bytes, keras.tree.flatten(batch[0])))
        if num_bytes >= _BLOCK_BYTES:
            yield block
            block, num_bytes = [], 0
    if empty:
        raise ValueError("Expected at least one example to predict; got none.")
    if block:
        yield block


def _num_bytes(leaf):
    if tf.is_tensor(leaf):
        return leaf.dtype.size * math.prod(leaf.shape)
    return np.asarray(leaf).nbytes


def _batches(x, y, sample_weight, batch_size):
    if isinstance(x, keras.utils.PyDataset):
        return (x[index] for index in range(len(x)))
    if isinstance(x, tf.data.Dataset) or hasattr(x, "__next__"):
        return iter(x)
    if batch_size is None:
        batch_size = 256
    return _array_batches(x, y, sample_weight, batch_size)


def _array_batches(x, y, sample_weight, batch_size):
    checks.check_count("batch_size", batch_size)
    data = keras.tree.map_structure(
        lambda leaf: leaf if tf.is_tensor(leaf) else np.asarray(leaf),
        tuple(part for part in (x, y, sample_weight) if part is not None),
    )
    shapes = [tuple(leaf.shape) for leaf in keras.tree.flatten(data)]
    if not shapes or () in shapes:
        raise ValueError(
            f"Expected arrays of examples; got arrays of shapes {shapes}."
        )
    lengths = {shape[0] for shape in shapes}
    if len(lengths) != 1:
        raise ValueError(
            "Expected inputs, labels and weights of the same number of "
            f"examples; got {sorted(lengths)}."
        )
    for start in range(0, lengths.pop(), batch_size):
        part = slice(start, start + batch_size)
        yield keras.tree.map_structure(operator.itemgetter(part), data)

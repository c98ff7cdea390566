"""Running a network over data, draw by draw."""

import functools

import keras
import tensorflow as tf

from bbh_tf import randomness
from bbh_tf.layers import drawing
from bbh_tf.models import calibration
from bbh_tf.models import outputs as outputs_of
from bbh_tf.models import replicated_draws
from bbh_tf.models import unwrapping

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
        seed: the model's `KeptSeed`, first word of all random keys.
        jit_compile: whether XLA compiles the pass through the network.
        run_eagerly: whether to compile nothing.
        strategy: the model's `tf.distribute.Strategy`. Draws are spread over
            its devices, unless XLA compiles the pass.
    """

    def __init__(
        self, network, layers, seed, jit_compile, run_eagerly, strategy
    ):
        self._network = network
        self._layers = layers
        self._seed = seed
        draw_bytes = 4 * sum(layer.draw_size() for layer in layers)
        self._at_once = min(
            max(1, _DRAW_BYTES // max(1, draw_bytes)), _MOST_DRAWS_AT_ONCE
        )

        def sample(key, first):
            draws = drawing.sample(layers, self._at_once, key, first)
            return drawing.weights_of(draws)

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

        def mask(inputs, weights):
            outputs, _ = drawing.call(
                network, layers, weights, 0, (inputs,), {"training": False}
            )
            return outputs_of.mask(outputs)

        calibrate = self._calibration.statistics

        self._replicated = None
        if replicated_draws.can_spread(strategy) and not (
            jit_compile or run_eagerly
        ):
            self._replicated = replicated_draws.ReplicatedDraws(
                strategy, self._at_once, sample, calibrate, forward
            )
        if not run_eagerly:
            sample = tf.function(sample, autograph=False)
            mask = tf.function(mask, autograph=False, reduce_retracing=True)
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
        self._mask = mask

    def weights(self, seed, index):
        """Returns draw `index` of the weights under a prediction seed.

        Returns:
            For each random layer, a list of `(1, *shape)` tensors.
        """
        group, place = divmod(index, self._at_once)
        return _pick(self._draw_group(seed, group), place)

    def _draw_group(self, seed, group):
        first = tf.constant(group * self._at_once, tf.int32)
        return self._sample(self._key(seed), first)

    def _key(self, seed):
        return randomness.key(self._seed.value, randomness.PREDICTION, seed)

    def statistics(self, weights, calibration_data):
        """Returns the moving statistics that go with a draw.

        Args:
            weights: a draw, as `weights` returns it.
            calibration_data: a batch of inputs, arrays or tensors, or None.

        Returns:
            List of pairs of a variable and its value; none without data.
        """
        if calibration_data is None:
            return []
        values = self._calibrate(_tensors(calibration_data), weights)
        return list(zip(self._calibration.variables, values))

    def masks(self, inputs):
        """Finds Keras' masks of the outputs.

        Args:
            inputs: list of batches.

        Returns:
            List of masks, or None where there is none.
        """
        if not outputs_of.have_mask(self._network):
            return [None] * len(inputs)
        # No draw has a mask of its own.
        weights = self.weights(0, 0)
        return [self._mask(batch, weights) for batch in inputs]

    def plain(self, seed, index, calibration_data=None):
        """Makes an ordinary Keras model of draw `index`."""
        weights = self.weights(seed, index)
        statistics = self.statistics(weights, calibration_data)
        return unwrapping.unwrap(
            self._network, self._layers, weights, statistics
        )

    def networks(self, num_samples, seed, calibration_data=None):
        """Yields the network as a function, for each draw.

        Args:
            num_samples: number of draws.
            seed: prediction seed.
            calibration_data: see `statistics`.

        Yields:
            Functions from a batch of inputs to outputs.
        """
        if calibration_data is not None:
            calibration_data = _tensors(calibration_data)
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
        if self._replicated is not None:
            if calibration_data is not None:
                calibration_data = _tensors(calibration_data)
            yield from self._replicated.outputs(
                inputs, num_samples, self._key(seed), calibration_data
            )
            return
        for network in self.networks(num_samples, seed, calibration_data):
            yield [network(batch) for batch in inputs]


def _tensors(inputs):
    return keras.tree.map_structure(tf.convert_to_tensor, inputs)


def _pick(drawn, place):
    return [[tensor[place : place + 1] for tensor in one] for one in drawn]

"""Draws of a network spread over the devices of a `MirroredStrategy`."""

import keras
import tensorflow as tf


def can_spread(strategy):
    """Returns whether a strategy has several devices within this process.

    Workers predict each for itself: what one of them wants predicted, the
    others need not want.

    Args:
        strategy: a `tf.distribute.Strategy`.
    """
    return (
        isinstance(strategy, tf.distribute.MirroredStrategy)
        and strategy.num_replicas_in_sync > 1
    )


class ReplicatedDraws:
    """Makes a group of draws on each device at once.

    Args:
        strategy: a strategy with which `can_spread` is content.
        group_size: number of draws that are made together.
        sample: function from a random key and the index of a group's first
            draw to its weights, `(group_size, *shape)` each.
        calibrate: function from a batch of inputs and a draw to moving
            statistics.
        forward: function from a batch of inputs, a draw and moving statistics
            to outputs.
    """

    def __init__(self, strategy, group_size, sample, calibrate, forward):
        self._strategy = strategy
        self._group_size = group_size

        def sample_here(key, first):
            context = tf.distribute.get_replica_context()
            place = tf.cast(context.replica_id_in_sync_group, tf.int32)
            return sample(key, first + place * group_size)

        def calibrate_here(inputs, drawn, index):
            return calibrate(inputs, _pick(drawn, index))

        def forward_here(inputs, drawn, index, statistics):
            return forward(inputs, _pick(drawn, index), statistics)

        self._sample, self._calibrate, self._forward = (
            tf.function(
                lambda *args, run=run: strategy.run(run, args),
                autograph=False,
                reduce_retracing=True,
            )
            for run in (sample_here, calibrate_here, forward_here)
        )

    def outputs(self, inputs, num_samples, key, calibration_data):
        """Yields the network's outputs for each draw.

        Those of a round, of one group a device, are held until they were
        asked for.

        Args:
            inputs: list of batches.
            num_samples: number of draws.
            key: random key of all draws.
            calibration_data: a batch of inputs, tensors, or None.

        Yields:
            For each draw, a list of outputs, one for each batch.
        """
        num_groups = self._strategy.num_replicas_in_sync
        size = self._group_size
        for first in range(0, num_samples, size * num_groups):
            drawn = self._sample(key, tf.constant(first, tf.int32))
            places = [
                self._place(inputs, drawn, tf.constant(index), calibration_data)
                for index in range(min(size, num_samples - first))
            ]
            for number in range(min(size * num_groups, num_samples - first)):
                group, place = divmod(number, size)
                yield [batch[group] for batch in places[place]]

    def _place(self, inputs, drawn, index, calibration_data):
        """Runs the draw at one place of all groups over all batches."""
        statistics = []
        if calibration_data is not None:
            statistics = self._calibrate(calibration_data, drawn, index)
        return [
            self._strategy.experimental_local_results(
                self._forward(
                    keras.tree.map_structure(tf.convert_to_tensor, batch),
                    drawn,
                    index,
                    statistics,
                )
            )
            for batch in inputs
        ]


def _pick(drawn, index):
    return [[tensor[index][tf.newaxis] for tensor in one] for one in drawn]

"""Statistics of batch normalisation that fit a draw of the weights."""

import keras
import tensorflow as tf

from bbh_tf.layers import drawing
from bbh_tf.layers import selection


class Calibration:
    """Estimates the moving statistics of a network anew, for one draw.

    Moving averages of training mix the statistics of many draws. Those of the
    test batch, as in the authors' code, make a prediction depend on the other
    images in it. Here each draw gets the statistics that a fixed batch of
    training inputs has under it.

    Args:
        network: the Keras model.
        layers: its random layers.
    """

    def __init__(self, network, layers):
        self._network = network
        self._layers = layers
        # A layer that is frozen keeps its statistics.
        self._normalizations = [
            layer
            for layer in selection.sublayers_of(network)
            if isinstance(layer, keras.layers.BatchNormalization)
            and layer.trainable
            and layer.momentum < 1
        ]
        self.variables = [
            variable
            for layer in self._normalizations
            for variable in (layer.moving_mean, layer.moving_variance)
        ]

    def statistics(self, inputs, weights):
        """Computes the statistics.

        Args:
            inputs: a batch of inputs, the calibration data.
            weights: a draw: for each random layer, a list of `(1, *shape)`.

        Returns:
            List of tensors, one for each of `variables`: mean and variance of
            what enters each layer, averaged over its calls.
        """
        changed = drawing.changes(
            self._network,
            self._layers,
            weights,
            (inputs,),
            {"training": True},
            [
                (variable, tf.zeros_like(variable))
                for variable in self.variables
            ],
        )
        momenta = [
            layer.momentum for layer in self._normalizations for _ in "mv"
        ]
        # From 0, k steps of the moving average are a known share of the
        # batch's statistics, or of the mean over the k calls of the layer.
        return [
            value / (1.0 - momentum**times) if times else variable.value
            for variable, (value, times), momentum in zip(
                self.variables, changed, momenta
            )
        ]

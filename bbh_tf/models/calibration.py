"""Statistics of batch normalisation that fit the weights as they are."""

import keras
import tensorflow as tf

from bbh_tf.layers import drawing
from bbh_tf.layers import selection
from bbh_tf.models import inputs_of
from bbh_tf.models import refusals


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

    def checked(self, name, inputs):
        """Returns inputs as an array, where they can be calibrated on.

        Args:
            name: name of the argument, for the messages.
            inputs: what was given.

        Raises:
            ValueError: if there is nothing to calibrate, or something that
                cannot be, or are no two examples.
        """
        for layer in self._normalizations:
            if getattr(layer, "renorm", False):
                raise ValueError(
                    f"Expected {name} for BatchNormalization whose moving "
                    f"statistics are all it has; layer {layer.name!r} has "
                    "renorm=True."
                )
        if not self.variables:
            raise ValueError(
                f"Expected {name} for a network with BatchNormalization that "
                f"is trained; network {self._network.name!r} has none."
            )
        wanted = inputs_of.structure(self._network)
        inputs = inputs_of.arrays(inputs, wanted)
        try:
            keras.tree.assert_same_structure(inputs, wanted)
        except (TypeError, ValueError) as error:
            names = keras.tree.map_structure(lambda x: x.name, wanted)
            raise ValueError(
                f"Expected {name} to have the structure of the network's "
                f"inputs, {names}; got a {type(inputs).__name__}."
            ) from error
        shapes = [leaf.shape for leaf in keras.tree.flatten(inputs)]
        ranks = [len(x.shape) for x in keras.tree.flatten(wanted)]
        counts = {shape[0] if shape else 0 for shape in shapes}
        if list(map(len, shapes)) != ranks or min(counts) < 2:
            raise ValueError(
                f"Expected {name} to be an array of at least 2 examples "
                f"for each input; got shape {', '.join(map(str, shapes))}."
            )
        if len(counts) > 1:
            raise ValueError(
                f"Expected {name} of as many examples for each input; got "
                f"shapes {', '.join(map(str, shapes))}."
            )
        return inputs

    def statistics(self, inputs, weights):
        """Computes the statistics.

        Args:
            inputs: a batch of inputs, the calibration data, as the network
                takes it.
            weights: a draw: for each random layer, a list of `(1, *shape)`.

        Returns:
            List of tensors, one for each of `variables`: mean and variance of
            what enters each layer, averaged over its calls.
        """
        zeros = [tf.zeros_like(variable) for variable in self.variables]
        changed = self._changes(inputs, weights, zeros)
        if not all(times for _, times in changed):
            # Those that are not written normalise by what they have.
            starts = [
                zero if times else variable.value
                for variable, zero, (_, times) in zip(
                    self.variables, zeros, changed
                )
            ]
            changed = self._changes(inputs, weights, starts)
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

    def _changes(self, inputs, weights, starts):
        return drawing.changes(
            self._network,
            self._layers,
            weights,
            (inputs,),
            {"training": True},
            list(zip(self.variables, starts)),
        )


def update_batch_normalization(network, inputs):
    """Sets moving statistics to those that given inputs have.

    Moving averages lag behind weights that still change fast, for example
    after a short training. This does for a network with fixed weights, such as
    a member of a `DeepEnsemble`, what `BayesianModel.calibration_data` does
    for each draw.

    Args:
        network: a built `keras.Model` without random layers. Of all its
            trainable `keras.layers.BatchNormalization`, mean and variance are
            replaced; nothing else is.
        inputs: array `(examples, ...)`, a fixed part of the training set,
            or a structure of such as the network takes it. It is one batch;
            layers such as Dropout run in training mode.

    Raises:
        ValueError: if the network is not built, has random layers or no such
            layer, or the inputs do not fit, or less than two examples.
    """
    if not network.built:
        raise ValueError(
            f"Expected a network that is built; {network.name!r} is not: give "
            "it a keras.Input, or call it on data first."
        )
    refusals.check_ordinary(
        network,
        "Expected an ordinary network, without random layers",
        "for which BayesianModel has calibration_data",
    )
    found = Calibration(network, ())
    inputs = found.checked("inputs", inputs)
    values = found.statistics(inputs, weights=[])
    for variable, value in zip(found.variables, values):
        variable.assign(value)

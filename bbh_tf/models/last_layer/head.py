"""The layer that ends a network, and what comes into it."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf.models import cloning
from bbh_tf.models import inputs_of
from bbh_tf.models import refusals


class Head:
    """The dense layer that ends a network.

    Args:
        network: a built functional or Sequential `keras.Model`.

    Attributes:
        layer: the layer.

    Raises:
        ValueError: if the network does not end in a dense layer without an
            activation that is called once, is not frozen and holds finite
            weights; or has layers that are random already.
    """

    def __init__(self, network):
        cloning.check_cloneable(network)
        refusals.check_ordinary(
            network,
            "laplace expects an ordinary trained network",
            "which has draws of its own",
        )
        refusals.check_one_output(network)
        (output,) = network.outputs
        history = output._keras_history
        self.layer = history.operation
        _check_layer(self.layer, network, output)
        (features,) = self.layer._inbound_nodes[
            history.node_index
        ].input_tensors
        self._features = keras.Model(inputs_of.structure(network), features)
        if self.layer in self._features.layers:
            raise ValueError(
                "laplace expects a last layer that is called once: outputs "
                f"are not linear in the weights of {self.layer.name!r}."
            )
        self._run = tf.function(
            lambda inputs: self._features(inputs, training=False),
            reduce_retracing=True,
            autograph=False,
        )

    @property
    def num_units(self):
        """Number of outputs, C."""
        return self.layer.units

    @property
    def size(self):
        """Number of weights, D: (inputs + 1) C with a bias."""
        return sum(int(np.prod(v.shape)) for v in self.layer.weights)

    def weights(self):
        """Returns the weights, `float64` `(inputs + 1, C)`.

        The last row is the bias, where there is one: as one vector, row by
        row, they are the kernel and then the bias.
        """
        rows = [
            np.asarray(variable, np.float64).reshape(-1, self.num_units)
            for variable in self.layer.weights
        ]
        return np.concatenate(rows)

    def features(self, inputs):
        """Computes what the layer multiplies its weights with.

        Args:
            inputs: a batch of the network's inputs.

        Returns:
            `float64` array `(batch, inputs + 1)`, its last column ones for
            the bias, where there is one.
        """
        features = np.asarray(self._run(inputs), np.float64)
        if not self.layer.use_bias:
            return features
        return np.pad(features, ((0, 0), (0, 1)), constant_values=1.0)

    def split(self, weights):
        """Returns a matrix as `weights` has it as the layer's tensors."""
        if not self.layer.use_bias:
            return [weights]
        return [weights[:-1], weights[-1]]


def _check_layer(layer, network, output):
    # A subclass may compute what is not linear in its weights.
    if getattr(type(layer), "call", None) is not keras.layers.Dense.call:
        what = getattr(layer, "name", layer)
        raise ValueError(
            "laplace expects a network that ends in a keras.layers.Dense; "
            f"{network.name!r} ends in the {type(layer).__name__} {what!r}."
        )
    if layer.activation is not keras.activations.linear:
        raise ValueError(
            "laplace expects a last layer without activation, which belongs "
            f"to the likelihood; {layer.name!r} has "
            f"{layer.activation.__name__}: set its `activation = "
            "keras.activations.linear` first."
        )
    if len(output.shape) != 2:
        raise ValueError(
            "laplace expects outputs of shape (batch, units); those of "
            f"{network.name!r} are {tuple(output.shape)}."
        )
    if layer.lora_enabled or layer.quantization_mode:
        raise ValueError(
            "laplace expects a last layer with a kernel of its own; "
            f"{layer.name!r} has LoRA or is quantised: save the network and "
            "load it, which merges LoRA."
        )
    if not all(variable.trainable for variable in layer.weights):
        raise ValueError(
            f"laplace expects a last layer that can be trained; {layer.name!r} "
            "is frozen, or a part of it."
        )
    for variable in layer.weights:
        if not np.all(np.isfinite(variable)):
            raise ValueError(
                "laplace expects a trained network; it got weights that are "
                f"not finite: {variable.path!r}."
            )
    if not any(np.any(variable) for variable in layer.weights):
        raise ValueError(
            "laplace expects a trained network; all weights of its last "
            f"layer, {layer.name!r}, are 0."
        )

"""The hypernetwork of the paper: one network for a whole tensor."""

import math

import keras
import tensorflow as tf

from bbh_tf.hypernetworks import hypernetwork


@keras.saving.register_keras_serializable(package="bbh_tf.hypernetworks")
class MLP(hypernetwork.Hypernetwork):
    """Generates all weights at once from the noise and a constant 1.

    With hidden widths `u1, ..., uk` and `w` weights it has about
    `(uk + 1) * w` parameters: 205 million for the 800 x 500 layer of LeNet.
    `Sliced` has far fewer.

    Args:
        units: widths of the hidden layers.
        activation: activation of the hidden layers; None for leaky ReLU of
            slope 0.1.
        kernel_initializer: initialiser of the kernels; or `"hyperfan"`, see
            `Hypernetwork`.
        name: name of the layer.

    Raises:
        ValueError: as `Hypernetwork` does.

    Example:

    ```python
    bbh_tf.posteriors.Implicit(hypernetwork=bbh_tf.hypernetworks.MLP((64, 64)))
    ```

    References:
        Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
        arXiv:1711.01297, Sec. 2 and Table 1 ("layer-wise").
    """

    def slicing(self, shape):
        """Returns `(1, number of weights)`."""
        return 1, math.prod(shape)

    def join(self, slices, shape):
        """Drops the axis of the single slice."""
        return tf.squeeze(slices, axis=1)

    def set_center(self, values):
        """Sets the output's bias: there is one for each weight."""
        self._stack[-1].set_bias(values)

"""The dense layer of multiplicative normalizing flows."""

import keras
import tensorflow as tf

from bbh_tf.layers import mnf


@keras.saving.register_keras_serializable(package="bbh_tf.layers")
class MNFDense(mnf.MNF):
    """Dense layer whose weights have a multiplicative normalizing flow.

        outputs = activation(inputs @ kernel + bias)
        kernel[i, j] ~ N(z[i] * mean[i, j], std[i, j]^2)

    with a random factor z for each input, distributed by a flow; the bias is
    normal.

    Args:
        units: number of outputs.
        activation: activation, as Keras takes it.
        use_bias: whether there is a bias.
        **kwargs: `num_flows`, `flow_units`, `num_auxiliary_flows`,
            `auxiliary_flow_units`, `max_std`, `initial_log_std`,
            `initial_z_mean`, `prior_variance`, `kernel_initializer`,
            `kl_weight`, `seed`, `name`, `dtype` and `trainable`: see
            `bbh_tf.layers.MNF`, which also says when the noise is new.

    Raises:
        ValueError: if an argument is invalid.

    Input shape: `(batch, ..., inputs)`. One z serves all axes between.

    Output shape: `(batch, ..., units)`.

    Example:

    ```python
    network = keras.Sequential(
        [
            keras.Input((784,)),
            bbh_tf.layers.MNFDense(500, activation="relu"),
            bbh_tf.layers.MNFDense(10),
        ]
    )
    model = bbh_tf.models.BayesianModel(network, num_train_examples=55_000)
    ```

    References:
        Louizos and Welling, Multiplicative Normalizing Flows for Variational
        Bayesian Neural Networks, arXiv:1703.01961.
    """

    def __init__(self, units, activation=None, use_bias=True, **kwargs):
        super().__init__(activation=activation, use_bias=use_bias, **kwargs)
        self.units = units
        self.units = self.plain_layer().units
        self.supports_masking = True

    def plain_layer(self):
        """Makes a `keras.layers.Dense`; see `RandomLayer.plain_layer`."""
        return keras.layers.Dense(
            self.units,
            activation=self.activation,
            use_bias=self.use_bias,
            name=self.name,
            dtype=self.dtype_policy,
        )

    def kernel_shape(self, input_shape):
        """Returns `(inputs, units)`."""
        return input_shape[-1], self.units

    def linear(self, inputs, kernel):
        """Multiplies inputs by a kernel."""
        return keras.ops.matmul(inputs, kernel)

    def auxiliary_activation(self, projected):
        """Returns the hyperbolic tangent."""
        return tf.tanh(projected)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "units": self.units}

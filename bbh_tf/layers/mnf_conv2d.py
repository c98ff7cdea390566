"""The convolution of multiplicative normalizing flows."""

import keras

from bbh_tf.layers import mnf


@keras.saving.register_keras_serializable(package="bbh_tf.layers")
class MNFConv2D(mnf.MNF):
    """2-D convolution whose weights have a multiplicative normalizing flow.

        kernel[..., f] ~ N(z[f] * mean[..., f], std[..., f]^2)
        bias[f] ~ N(z[f] * bias_mean[f], bias_std[f]^2)

    with a random factor z for each filter, distributed by a flow.

    Where outputs are sampled instead of weights, each position in an image has
    its own noise, around means scaled by the image's z, as in the authors'
    code. Averages over positions then vary less than under a draw, which has
    one kernel for all positions.

    Args:
        filters: number of filters.
        kernel_size: height and width, an integer or two.
        strides: steps along them, an integer or two.
        padding: `"valid"` or `"same"`.
        dilation_rate: distances of a kernel's elements, an integer or two.
        activation: activation, as Keras takes it.
        use_bias: whether there is a bias.
        **kwargs: `num_flows`, `flow_units`, `num_auxiliary_flows`,
            `auxiliary_flow_units`, `max_std`, `initial_log_std`,
            `initial_z_mean`, `prior_variance`, `kernel_initializer`,
            `kl_weight`, `seed`, `name`, `dtype` and `trainable`: see
            `bbh_tf.layers.MNF`, which also says when the noise is new.

    Raises:
        ValueError: if an argument is invalid.

    Input shape: `(batch, height, width, channels)`.

    Output shape: `(batch, new_height, new_width, filters)`.

    Example:

    ```python
    bbh_tf.layers.MNFConv2D(20, 5, activation="relu")
    ```

    References:
        Louizos and Welling, Multiplicative Normalizing Flows for Variational
        Bayesian Neural Networks, arXiv:1703.01961.
    """

    scales_outputs = True

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        dilation_rate=(1, 1),
        activation=None,
        use_bias=True,
        **kwargs,
    ):
        super().__init__(activation=activation, use_bias=use_bias, **kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.padding = padding
        self.dilation_rate = dilation_rate
        plain = self.plain_layer()
        self.kernel_size = plain.kernel_size
        self.strides = plain.strides
        self.padding = plain.padding
        self.dilation_rate = plain.dilation_rate

    def plain_layer(self):
        """Makes a `keras.layers.Conv2D`; see `RandomLayer.plain_layer`."""
        return keras.layers.Conv2D(
            self.filters,
            self.kernel_size,
            strides=self.strides,
            padding=self.padding,
            data_format="channels_last",
            dilation_rate=self.dilation_rate,
            activation=self.activation,
            use_bias=self.use_bias,
            name=self.name,
            dtype=self.dtype_policy,
        )

    def kernel_shape(self, input_shape):
        """Returns `(height, width, channels, filters)`."""
        return *self.kernel_size, input_shape[-1], self.filters

    def linear(self, inputs, kernel):
        """Convolves inputs with a kernel."""
        return keras.ops.conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=self.padding,
            data_format="channels_last",
            dilation_rate=self.dilation_rate,
        )

    def auxiliary_activation(self, projected):
        """Returns what it got: the authors' code has no `tanh` here."""
        return projected

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
        }

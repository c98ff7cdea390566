"""What the authors' code does, for `--preset=released_code` only."""

import keras

import bbh_tf as bbh


@keras.saving.register_keras_serializable(package="experiments")
class MNFConv2D(bbh.layers.MNFConv2D):
    """A convolution whose KL does not count.

    The authors' MNF convolutions register their KL where the training loss
    does not look for it, so that dense layers alone are regularised.
    """

    def kl(self, key):
        """Returns 0, as a function of the parameters that Keras expects."""
        return 0.0 * super().kl(key)


@keras.saving.register_keras_serializable(package="experiments")
class BatchStatistics(keras.layers.Layer):
    """Batch normalisation by the batch's statistics, at prediction too.

    So the prediction for an image depends on which others are in its batch.
    """

    def build(self, input_shape):
        """Makes scale and shift, one of each a channel."""
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(shape, "ones", name="gamma")
        self.beta = self.add_weight(shape, "zeros", name="beta")

    def call(self, inputs):
        """Normalises inputs, `(batch, height, width, channels)`."""
        x = keras.ops.cast(inputs, "float32")
        mean, variance = keras.ops.moments(x, axes=(0, 1, 2), keepdims=True)
        x = (x - mean) * keras.ops.rsqrt(variance + 1e-3)
        return keras.ops.cast(
            x * keras.ops.cast(self.gamma, "float32")
            + keras.ops.cast(self.beta, "float32"),
            inputs.dtype,
        )

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
class BatchStatistics(keras.layers.BatchNormalization):
    """Batch normalisation by the batch's statistics, at prediction too.

    So the prediction for an image depends on which others are in its batch.
    """

    def __init__(self, **kwargs):
        # Averages that never move are none.
        super().__init__(**{**kwargs, "momentum": 1.0})

    def call(self, inputs, training=None, mask=None):
        """Normalises inputs, `(batch, height, width, channels)`."""
        del training
        return super().call(inputs, training=True, mask=mask)

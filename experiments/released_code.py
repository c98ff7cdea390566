"""What the authors' code leaves out, for `--preset=released_code` only."""

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

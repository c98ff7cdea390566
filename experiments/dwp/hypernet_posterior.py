"""Bayes by Hypernet over kernels, for priors that are known by samples."""

import keras

import bbh_tf as bbh


@keras.saving.register_keras_serializable(package="experiments.dwp")
class HypernetPosterior(bbh.posteriors.Implicit):
    """G(z) for the kernels of a layer; biases stay point estimates.

    In the form that `bbh_tf.models.bayes_by_hypernet` has for few examples:
    heads 16 wide, and eight noise variables for each layer.

    Args:
        name: name of the layer.
    """

    def __init__(self, name=None):
        super().__init__(
            bbh.hypernetworks.MLP((64, 256, 16), kernel_initializer="hyperfan"),
            noise_dim=8,
            name=name,
        )

    def replaces(self, spec):
        """Says yes, but to a bias."""
        return spec.role == "kernel"

    def get_config(self):
        """Returns the constructor's arguments."""
        return {"name": self.name}

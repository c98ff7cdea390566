"""Networks without a distribution, which several replicas train too."""

import keras

from bbh_tf.models import replicated_training


class PlainNetwork(replicated_training.ReplicatedTraining, keras.Sequential):
    """A `keras.Sequential` that several workers of a strategy train as well.

    Under several replicas the mean over a batch is Keras' own, that of the
    means of its parts.
    """

"""What the authors' code of Bayesian hypernetworks has of its own."""

import keras
import tensorflow as tf

import bbh_tf as bbh

SMALLEST_PROBABILITY = 0.001
NOISE_STD = 0.01
_SMALLEST_SCALE = 0.001


def smallest_scale(preset):
    """Returns what is added to the scales of a flow's first, elementwise map.

    All tasks of the authors have that map, and it is the same for all.

    Args:
        preset: `"paper"` or `"released_code"`.
    """
    return _SMALLEST_SCALE if preset == "released_code" else 0.0


def clipped_softmax(outputs):
    """Class probabilities from 0.001 to 0.999, divided by their sum.

    The authors do not divide, which changes the loss by 0.009 nats at most.
    Where a probability is clipped there is no gradient.
    """
    import tensorflow_probability as tfp

    return tfp.distributions.Categorical(probs=clip(tf.nn.softmax(outputs)))


def clip(probabilities):
    """Returns probabilities within the authors' limits, not normalised."""
    return tf.clip_by_value(
        probabilities, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY
    )


@keras.saving.register_keras_serializable(package="experiments.bhn")
class QuietNoise(bbh.flows.Flow):
    """Makes noise a hundredth as wide, and says nothing of it.

    The script for anomalies draws noise of standard deviation 0.01 and scores
    it as if that were 1: the density is 0.01^-dim times too low, a constant,
    and q far narrower than its KL knows.
    """

    def build(self, dim):
        """Makes nothing: there are no parameters."""

    def count_parameters(self, dim):
        """Returns 0."""
        return 0

    def call(self, z):
        """Returns the noise, and no log-determinant; see `Flow.call`."""
        return NOISE_STD * z, tf.zeros(tf.shape(z)[:-1])

    def get_config(self):
        """Returns the constructor's arguments."""
        return {"name": self.name}

"""What layers have in common that are random by themselves."""

import keras
import tensorflow as tf


class Stochastic(keras.layers.Layer):
    """Base of layers whose call is random, of themselves.

    Such a layer knows two ways. With noise of its own for each example, new in
    each call: so it trains, and so it always runs in a plain `keras.Model`.
    Or fixed by a draw that all examples share: so models of this library
    predict, and so a draw is one function.

    A subclass runs on `drawing.drawn(self)` where that is not None, and takes
    noise from a `keras.random.SeedGenerator` otherwise. Where
    `drawing.is_drawn(self)`, a model adds the KL.
    """

    # The posteriors of `Bayesian` layers replace variables of a layer; a draw
    # of these layers is handed to them.
    replaced_variables = ()

    def sample_draws(self, num_samples, key, position=0, first=0):
        """Draws what fixes the layer.

        Args:
            num_samples: number of draws, a Python integer.
            key: a key of `bbh_tf.randomness`.
            position: position of the layer in the network.
            first: index of the first draw, an integer or scalar tensor.

        Returns:
            List of `float32` tensors of shape `(num_samples, *shape)`.
        """
        raise NotImplementedError

    def draw_size(self):
        """Returns how many numbers a draw holds."""
        raise NotImplementedError

    def kl(self, key):
        """Estimates what the layer adds to KL(q || p).

        Args:
            key: a key of `bbh_tf.randomness`.

        Returns:
            Scalar `float32` tensor, nats. Here, 0.
        """
        return tf.constant(0.0)

    def plain_layer(self):
        """Makes the ordinary layer that a draw of this one is.

        Returns:
            An unbuilt Keras layer, whose variables will be the tensors of a
            draw, in their order.

        Raises:
            ValueError: if no ordinary layer does the same.
        """
        raise ValueError(
            f"Cannot draw a plain model: no ordinary layer does what a draw of "
            f"{type(self).__name__} {self.name!r} does."
        )

    def parameter_report(self):
        """Describes the parameters, as `Posterior.parameter_report` does."""
        return []

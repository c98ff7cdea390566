"""What every random layer can do."""

import keras
import numpy as np

from bbh_tf import checkpointing
from bbh_tf import fixed
from bbh_tf import layer_draw


class RandomLayer(fixed.Fixed, checkpointing.Checkpointed, keras.layers.Layer):
    """Base of random layers, random by themselves or through a posterior.

    A model asks a random layer for draws, runs the network on them and adds
    their KL. A draw fixes the layer for all examples, so that it is one
    function. In training, and in any plain `keras.Model`, a layer may have
    separate noise for each example instead.

    The defaults here suit layers that are random by themselves, such as
    dropout: a subclass runs on `drawing.drawn(self)` where that is not None,
    and takes noise from a `keras.random.SeedGenerator` otherwise; where
    `drawing.is_drawn(self)`, a model adds its `kl`. `Bayesian` draws the
    variables of the layer that it wraps, `replaced_variables`.

    Attributes:
        is_wrapper: whether the layer wraps an ordinary one, its `layer`.
        has_kl: whether it adds to the KL of a model, by its `pair` or its own
            `kl`.
    """

    is_wrapper = False
    has_kl = False
    replaced_variables = ()
    # Where a layer has them: seed of its draws, noise of single examples.
    kept_seed = None
    seed_generator = None

    def draw(self, num_samples, key, position=0, first=0):
        """Draws what fixes the layer.

        Args:
            num_samples: number of draws, a Python integer.
            key: a key of `bbh_tf.randomness`.
            position: position of the layer in the network.
            first: index of the first draw, an integer or scalar tensor.

        Returns:
            A `LayerDraw`.
        """
        raise NotImplementedError

    def training_draw(self, num_samples, key, position=0):
        """Draws what training runs on; see `draw`.

        Returns:
            A `LayerDraw`; its weights are None for noise of its own for each
            example, as here.
        """
        del num_samples, key, position
        return layer_draw.LayerDraw([], None, None)

    def draw_size(self):
        """Returns how many numbers a draw holds."""
        raise NotImplementedError

    def pair(self, draw=None):
        """Returns what a divergence compares for this layer.

        Args:
            draw: a `LayerDraw` of this layer, or None.

        Returns:
            A `bbh_tf.divergences.Pair`; None where the layer has a KL of its
            own, or none, as here.
        """
        del draw
        return None

    def kl(self, key):
        """Estimates what the layer adds to KL(q || p) by itself.

        Args:
            key: a key of `bbh_tf.randomness`.

        Returns:
            Scalar `float32` tensor, nats; None for nothing, as here.
        """
        del key
        return None

    def plain_layer(self):
        """Makes the ordinary layer that a draw of this one is.

        Returns:
            An unbuilt Keras layer.

        Raises:
            ValueError: if no ordinary layer does the same.
        """
        raise ValueError(
            f"Cannot draw a plain model: no ordinary layer does what a draw of "
            f"{type(self).__name__} {self.name!r} does."
        )

    def plain_values(self, weights):
        """Returns the values of the plain layer's variables.

        Args:
            weights: the weights of one draw, tensors `(*shape)`.

        Returns:
            List of tensors or variables. Here, the weights.
        """
        return weights

    def as_prior(self):
        """Returns what the layer has learnt as a prior; None for nothing."""
        return None

    def save_own_variables(self, store):
        """Saves the variables, and where the layer's randomness stands."""
        super().save_own_variables(store)
        if self.kept_seed is not None:
            store["seed"] = np.array(self.kept_seed.value, np.int64)
        if self.seed_generator is not None:
            store["seed_state"] = self.seed_generator.state

    def load_own_variables(self, store):
        """Loads what `save_own_variables` saved."""
        own = {k: store[k] for k in store.keys() if not k.startswith("seed")}
        super().load_own_variables(own)
        # Files of earlier versions have neither.
        if self.kept_seed is not None and "seed" in store.keys():
            self.kept_seed.set(np.array(store["seed"]))
        if self.seed_generator is not None and "seed_state" in store.keys():
            self.seed_generator.state.assign(store["seed_state"])

    def parameter_report(self):
        """Describes the parameters, as `Posterior.parameter_report` does."""
        return []

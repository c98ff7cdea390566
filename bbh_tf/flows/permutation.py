"""Elements in another order."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import randomness
from bbh_tf.flows import flow


@keras.saving.register_keras_serializable(package="bbh_tf.flows")
class Permutation(flow.Flow):
    """Reorders the elements; its log-determinant is 0.

    Args:
        order: `"random"`, drawn once from the seed; `"reversed"`; or a list
            of integers, the places from which the elements are taken.
        seed: seed of a random order; None for a random one. Weights hold the
            order itself.
        name: name of the layer.

    Raises:
        ValueError: if the order is none of these.
    """

    def __init__(self, order="random", seed=None, name=None):
        super().__init__(name=name)
        if isinstance(order, str):
            if order not in ("random", "reversed"):
                raise ValueError(
                    'Permutation expects order to be "random", "reversed" or '
                    f"a list of places; got {order!r}."
                )
        else:
            order = check_order("order", order)
        self.order = order
        self.seed = randomness.seed_or_random(seed)

    def build(self, dim):
        """Chooses the order; see `Flow.build`.

        Raises:
            ValueError: if a given order is of another dimension.
        """
        super().build(dim)
        if self.order == "reversed":
            order = np.arange(dim)[::-1]
        elif self.order == "random":
            order = np.random.RandomState(self.seed % 2**32).permutation(dim)
        else:
            order = np.array(self.order)
            if len(order) != dim:
                raise ValueError(
                    f"Expected vectors of dimension {len(order)}, as the "
                    f"order is; got {dim}."
                )
        self._places = self._add_places("places", order)

    def count_parameters(self, dim):
        """Returns 0."""
        return 0

    def call(self, z):
        """Maps forward; see `Flow.call`."""
        places = tf.cast(self._places, tf.int32)
        log_det = tf.zeros(tf.shape(z)[:-1])
        return _take(z, places, tf.math.invert_permutation(places)), log_det

    def inverse(self, mapped):
        """Maps back; see `Flow.inverse`."""
        self.check_vectors(mapped)
        places = tf.cast(self._places, tf.int32)
        log_det = tf.zeros(tf.shape(mapped)[:-1])
        back = tf.math.invert_permutation(places)
        return _take(mapped, back, places), log_det

    def order_back(self, values):
        """Moves values to where the elements came from."""
        return values[np.argsort(self._places)]

    def get_config(self):
        """Returns the constructor's arguments."""
        order = self.order if isinstance(self.order, str) else list(self.order)
        return {"order": order, "seed": self.seed, "name": self.name}


def check_order(argument, order):
    """Returns an order as a list of Python integers.

    Raises:
        ValueError: if it does not hold each of 0, 1, ... once.
    """
    places = list(order) if isinstance(order, (list, tuple)) else None
    if (
        places is None
        or not all(checks.is_count(place, fewest=0) for place in places)
        or sorted(places) != list(range(len(places)))
    ):
        raise ValueError(
            f"Expected {argument} to hold each of 0, 1, ... once; got "
            f"{order!r}."
        )
    return [int(place) for place in places]


@tf.custom_gradient
def _take(z, places, back):
    # Its gradient is the permutation back, no scattered sum.
    def gradient(upstream):
        return tf.gather(upstream, back, axis=-1), None, None

    return tf.gather(z, places, axis=-1), gradient

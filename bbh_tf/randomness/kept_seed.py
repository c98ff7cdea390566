"""A seed that is kept wherever weights are kept."""

import json
import warnings

import keras
import tensorflow as tf

from bbh_tf.randomness import keys


class KeptSeed(tf.train.experimental.PythonState):
    """The seed of a layer or model: chosen once, then a part of its state.

    Programs that are compiled read `word`, so that a seed which comes with
    weights that are loaded counts in them too. `tf.train.Checkpoint` keeps an
    attribute of this kind by itself; files are for the owner to write.

    Args:
        seed: an integer of 64 bits; None for a random one.

    Raises:
        ValueError: if it is neither.
    """

    def __init__(self, seed):
        self.value = keys.seed_or_random(seed)
        self._is_given = seed is not None
        first = self.value
        self._word = keras.Variable(
            lambda shape, dtype: tf.constant(first, dtype),
            shape=(),
            dtype="int64",
            trainable=False,
            autocast=False,
            aggregation="none",
            name="key_word",
        )

    @property
    def word(self):
        """The seed as a scalar `int64` tensor."""
        return tf.convert_to_tensor(self._word.value)

    @property
    def variable(self):
        """The variable that programs read."""
        return self._word

    def set(self, value):
        """Takes another integer of 64 bits, from a file say.

        It warns where that is not the one that was asked for.
        """
        if self._is_given and int(value) != self.value:
            warnings.warn(
                f"The seed that comes with the weights, {int(value)}, takes "
                f"the place of the seed that was given, {self.value}.",
                stacklevel=2,
            )
        self.value = int(value)
        self._word.assign(tf.constant(self.value, tf.int64))

    def serialize(self):
        """Returns the seed as bytes."""
        return json.dumps(self.value).encode()

    def deserialize(self, string_value):
        """Takes the seed of some bytes."""
        self.set(json.loads(string_value))

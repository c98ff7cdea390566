"""Dropout that stays on at prediction."""

import math

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import layer_draw
from bbh_tf import randomness
from bbh_tf.layers import drawing
from bbh_tf.layers.random_layer import RandomLayer


@keras.saving.register_keras_serializable(package="bbh_tf.layers")
class MCDropout(RandomLayer):
    """Sets units to zero at random, in training and in prediction.

    Units that stay are divided by `1 - rate`. In training, and in each call of
    a plain `keras.Model`, every example has its own mask. The predictions of a
    `bbh_tf.models.BayesianModel` average over draws, each with one mask for
    all examples: a draw is one thinned network, so a prediction does not
    depend on the other examples, and draws are whole functions. The average
    prediction of an example is the same, unless the layer is called several
    times (shared, or in `TimeDistributed`): a draw has one mask for all calls.

    There is no KL. `keras.regularizers.L2(0.5 / num_train_examples)` on the
    layers between stands for the prior N(0, 1) on their kernels as they are
    trained. For that prior on the thinned kernels, as Gal and Ghahramani have
    it, a kernel behind a dropout takes 1 / (1 - rate) times as much.

    Args:
        rate: probability that a unit is set to zero, from 0 up to 1.
        noise_shape: shape of the mask, batch axis included, where it is to be
            repeated along axes (size 1); None entries are the input's.
        seed: seed of the masks of single examples; None for a random one.
        **kwargs: `name`, `dtype`.

    Raises:
        ValueError: if `rate` is not a number in [0, 1).

    Input shape: any. Where it is not known but for the batch, a draw has one
    mask for each size of inputs.

    Output shape: that of the input.

    Example:

    ```python
    network = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(500, activation="relu"),
            bbh_tf.layers.MCDropout(0.5),
            keras.layers.Dense(10),
        ]
    )
    model = bbh_tf.models.BayesianModel(network, num_train_examples=55_000)
    ```

    References:
        Gal and Ghahramani, Dropout as a Bayesian Approximation,
        arXiv:1506.02142.
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not checks.is_number(rate) or not 0 <= rate < 1:
            raise ValueError(
                "MCDropout expects rate to be a number from 0 up to, not "
                f"including, 1; got {rate!r}."
            )
        if not isinstance(noise_shape, (list, tuple, type(None))):
            raise ValueError(
                "MCDropout expects noise_shape to be a tuple; got "
                f"{noise_shape!r}."
            )
        self.rate = float(rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape):
        """Keeps the shape of a mask.

        Args:
            input_shape: shape of the inputs, batch axis included.

        Raises:
            ValueError: if `noise_shape` has another rank.
        """
        sizes = self.noise_shape or input_shape
        if len(sizes) != len(input_shape):
            raise ValueError(
                "MCDropout expects a noise_shape of the inputs' rank, "
                f"{len(input_shape)}; got {self.noise_shape}."
            )
        self._mask_shape = tuple(_filled(sizes[1:], input_shape[1:]))

    def call(self, inputs):
        """Masks the inputs."""
        drawn = drawing.drawn(self)
        if drawn is None:
            return self._thinned(inputs)
        (mask,) = drawn
        if mask.dtype.is_integer:
            mask = self._mask_for(mask, inputs)
        if not all(
            size in (1, None, own)
            for size, own in zip(mask.shape, inputs.shape[1:])
        ):
            raise ValueError(
                f"{self.name!r} has a mask of shape {tuple(mask.shape)} for "
                f"inputs {tuple(inputs.shape)}: expected inputs of one shape "
                "in all calls of the layer."
            )
        return inputs * tf.cast(mask, inputs.dtype)

    def _thinned(self, inputs):
        """Masks each example by itself."""
        if self.rate == 0.0:
            return inputs
        sizes = self.noise_shape or [None] * inputs.shape.rank
        shape = _filled(
            _filled(sizes, inputs.shape), tf.unstack(tf.shape(inputs))
        )
        uniform = randomness.example_uniform(shape, self.seed_generator)
        kept = inputs * tf.cast(1.0 / (1.0 - self.rate), inputs.dtype)
        return tf.where(uniform >= self.rate, kept, tf.zeros_like(inputs))

    def draw(self, num_samples, key, position=0, first=0):
        """Draws masks; see `RandomLayer.draw`."""
        if None in self._mask_shape:
            # What a mask is made of, for inputs of any size.
            words = randomness.normal(
                randomness.fold(key, position), num_samples, (2,), first
            )
            words = tf.bitcast(words, tf.int32)
            return layer_draw.LayerDraw([], None, [words])
        normal = randomness.normal(
            randomness.fold(key, position), num_samples, self._mask_shape, first
        )
        # A normal number is below its quantile with that probability.
        kept = normal < tf.math.ndtri(tf.constant(1 - self.rate, tf.float32))
        mask = tf.cast(kept, tf.float32) / (1 - self.rate)
        return layer_draw.LayerDraw([], None, [mask])

    def _mask_for(self, words, inputs):
        """Makes the mask of a draw for inputs of the size that they have."""
        shape = _filled(self._mask_shape, tf.unstack(tf.shape(inputs)[1:]))
        bits = randomness.bits(words, tf.reduce_prod(shape))
        # As integers, which round alike wherever they are computed.
        dropped = bits < tf.constant(
            min(round(self.rate * 2**32), 2**32 - 1), tf.uint32
        )
        mask = tf.where(dropped, 0.0, 1 / (1 - self.rate))
        return tf.ensure_shape(
            tf.reshape(mask, shape),
            _filled(self._mask_shape, inputs.shape[1:]),
        )

    def draw_size(self):
        """Returns how many numbers a draw holds."""
        if None in self._mask_shape:
            return 2
        return math.prod(self._mask_shape)

    def compute_output_shape(self, input_shape):
        """Returns the input's shape."""
        return input_shape

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": self.noise_shape,
            "seed": self.seed,
        }


def _filled(sizes, others):
    """Returns sizes as a list, where they are None those of the others."""
    return [
        other if size is None else size for size, other in zip(sizes, others)
    ]

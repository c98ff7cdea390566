"""Random numbers as pure functions of a key.

A key is a vector of `int32` words: a path such as (model seed, draw number,
layer position). Sample `i` under a key depends on the key and on `i` alone, so
that the first five of a hundred samples are the five samples, whatever the
batch, the device or the loop that asked for them.

All sampling happens inside one small function compiled by XLA, which gives
the same numbers in eager code, in a graph and within a larger compiled
program; TensorFlow's operations one by one do not round as compiled ones do.
"""

from bbh_tf.randomness.example_noise import example_normal
from bbh_tf.randomness.example_noise import example_uniform
from bbh_tf.randomness.kept_seed import KeptSeed
from bbh_tf.randomness.keys import fold
from bbh_tf.randomness.keys import key
from bbh_tf.randomness.keys import seed_or_random
from bbh_tf.randomness.purposes import DISCRIMINATOR
from bbh_tf.randomness.purposes import PREDICTION
from bbh_tf.randomness.purposes import PRIOR
from bbh_tf.randomness.purposes import TRAINING
from bbh_tf.randomness.samplers import compiled_sampler
from bbh_tf.randomness.samplers import normal
from bbh_tf.randomness.threefry import bits

__all__ = [
    "DISCRIMINATOR",
    "KeptSeed",
    "PREDICTION",
    "PRIOR",
    "TRAINING",
    "bits",
    "compiled_sampler",
    "example_normal",
    "example_uniform",
    "fold",
    "key",
    "normal",
    "seed_or_random",
]

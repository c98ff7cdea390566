"""A layer that draws for itself, for several replicas to train."""

import keras
import numpy as np

import bbh_tf as bbh
from tests.models import small_models


def train(strategy):
    """Trains it for three epochs; returns losses and weights."""
    x, y = small_models.data(8)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with strategy.scope():
        keras.utils.set_random_seed(0)
        layer = bbh.layers.Bayesian(
            keras.layers.Dense(3),
            bbh.posteriors.MeanField(),
            kl_weight=1 / 8,
            seed=1,
        )
        network = keras.Sequential([keras.Input((4,)), layer])
        network.compile(keras.optimizers.SGD(0.01), loss)
    logs = network.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    return {
        "losses": logs.history["loss"],
        "weights": [np.array(v).tolist() for v in network.variables],
    }

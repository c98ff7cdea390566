"""An autoencoder of kernels on odd batches, for several replicas to train."""

from unittest import mock

import keras
import numpy as np
import tensorflow as tf

import bbh_tf as bbh


def train(strategy):
    """Trains a density of kernels, without noise, on odd batches.

    Replicas have noise of their own, and would differ from one device.
    """
    kernels = np.random.default_rng(0).normal(size=(13, 3, 3))
    with (
        strategy.scope(),
        mock.patch.object(bbh.randomness, "example_normal", _no_noise),
    ):
        keras.utils.set_random_seed(0)
        model = bbh.models.KernelAutoencoder(3, seed=0)
        # Its steps are as large as the gradient says.
        model.compile(keras.optimizers.SGD(1e-3), steps_per_execution=2)
        logs = model.fit(
            kernels.astype("float32"),
            batch_size=7,
            epochs=2,
            shuffle=False,
            verbose=0,
        )
        return {
            "losses": logs.history["loss"],
            "evaluated": model.evaluate(kernels, batch_size=7, verbose=0),
            "weights": [np.array(v).tolist() for v in model.trainable_weights],
        }


def _no_noise(shape, seed_generator):
    del seed_generator
    return tf.zeros(shape)

"""Trains as one of several workers; run by workers_test.py, twice at a time.

It prints one line of JSON: for each case what `train` returns, and what is
said to workers that differ.
"""

import json

import keras
import numpy as np
import tensorflow as tf

import bbh_tf as bbh
from tests.models import kernel_training
from tests.models import mirrored_training
from tests.models import small_models


class Moments(bbh.divergences.SampleDivergence):
    """A divergence without a kink: a normal's KL from two moments."""

    def __call__(self, posterior, prior):
        total = 0.0
        for q, p in zip(posterior, prior):
            shift = tf.reduce_mean(q, axis=0) - tf.reduce_mean(p, axis=0)
            total += tf.reduce_sum(tf.square(shift)) / 2
        return total


CASES = {
    "bbb": (
        bbh.posteriors.MeanField,
        {"divergence": bbh.divergences.AnalyticKL()},
    ),
    "bbh": (small_models.implicit, {"divergence": Moments()}),
    # A prior whose reverse model trains.
    "deep weight prior": None,
}


def make_model(case, seed=3):
    if CASES[case] is None:
        model = mirrored_training.make_model(None, case)
        # Clipped in most steps.
        optimizer = bbh.optimizers.FusedAdam(0.01, global_clipnorm=1.0)
        model.compile(optimizer, metrics=["accuracy"])
        return model
    keras.utils.set_random_seed(0)
    posterior, settings = CASES[case]
    model = small_models.model(
        small_models.network(posterior=posterior()),
        compiled=False,
        seed=seed,
        **settings,
    )
    model.compile(bbh.optimizers.FusedAdam(0.01), metrics=["accuracy"])
    return model


def train(model):
    """Takes twenty steps, every second on a batch that is not full."""
    x, y = small_models.data(15)
    steps = []
    history = model.fit(
        x,
        y,
        batch_size=8,
        epochs=10,
        shuffle=False,
        verbose=0,
        validation_data=(x, y),
        validation_freq=10,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs: steps.append(
                    float(logs["loss"])
                )
            )
        ],
    ).history
    return {
        "history": history,
        "num_steps": len(steps),
        "weights": [np.asarray(v).tolist() for v in model.trainable_variables],
        "counters": [
            int(np.asarray(model.draw_number)),
            int(np.asarray(model.examples_seen)),
        ],
        "samples": model.predict_samples(x, num_samples=3).tolist(),
    }


def main():
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    found = {}
    if strategy.cluster_resolver.task_id == 0:
        # Names that Keras gives are then others than on the second worker.
        keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    for case in CASES:
        with strategy.scope():
            model = make_model(case)
        found[case] = train(model)
    found["noise"] = mirrored_training.noise(strategy)
    found["kernel autoencoder"] = kernel_training.train(strategy)
    with strategy.scope():
        found["chosen seed"] = make_model("bbb", seed=None).seed
        differing = make_model(
            "bbb", seed=strategy.cluster_resolver.task_id + 1
        )
    with strategy.scope():
        compiled = make_model("bbb")
    compiled.jit_compile = True
    try:
        compiled.fit(*small_models.data(), verbose=0)
    except ValueError as error:
        found["refusal of XLA"] = str(error)
    try:
        differing.fit(*small_models.data(), verbose=0)
    except ValueError as error:
        found["refusal"] = str(error)
    print(json.dumps(found))


if __name__ == "__main__":
    main()

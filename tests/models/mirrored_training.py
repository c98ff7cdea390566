"""Trains on one device and on two; run by mirrored_test.py, on its own.

TensorFlow's virtual devices must be set up before anything else runs, so this
is a process of its own. It prints one line of JSON: for each case the logs and
the weights after training, `[one device, two devices]`.
"""

import json

import keras
import numpy as np
import tensorflow as tf

import bbh_tf as bbh
from tests.models import small_models

CASES = {
    "even": (8, None, None),
    "uneven": (7, None, None),
    "regularizer": (8, "l2", None),
    "annealed mean field": (7, None, "mean field"),
    "adversarial": (8, None, "adversarial"),
    "flow": (8, None, "flow"),
}


def make_model(regularizer, posterior):
    keras.utils.set_random_seed(0)
    extra = keras.layers.Dense(4, kernel_regularizer=regularizer)
    if posterior is None:
        return small_models.model(small_models.network(extra))
    if posterior == "adversarial":
        return small_models.model(
            small_models.network(extra),
            divergence=bbh.divergences.AdversarialKL(
                units=(4,), num_pretraining_steps=3, num_steps=2
            ),
        )
    if posterior == "flow":
        flow = bbh.flows.real_nvp(2, (4,), initial_log_scale=-2.0, seed=1)
        return small_models.model(
            small_models.network(
                extra, posterior=bbh.posteriors.WeightNormFlow(flow)
            ),
            divergence=bbh.divergences.MonteCarloKL(),
        )
    return small_models.model(
        small_models.network(extra, posterior=bbh.posteriors.MeanField()),
        divergence=bbh.divergences.AnalyticKL(),
        annealing=bbh.annealing.Linear(0, 10),
    )


def train(model, batch_size, strategy):
    x, y = small_models.data(2 * batch_size)
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(batch_size)

    @tf.function
    def step(batch):
        return strategy.run(model.train_step, (batch,))

    if strategy.num_replicas_in_sync == 1:
        logs = model.fit(batches, epochs=2, verbose=0, shuffle=False)
        last = {name: values[-1] for name, values in logs.history.items()}
    else:
        distributed = strategy.experimental_distribute_dataset(batches)
        for _ in range(2):
            model.reset_metrics()
            for batch in distributed:
                step(batch)
        last = model.get_metrics_result()
    return {
        "logs": {name: float(value) for name, value in last.items()},
        "weights": [np.array(v).tolist() for v in model.trainable_variables],
        "counters": [
            int(np.array(model.draw_number)),
            int(np.array(model.examples_seen)),
        ],
    }


def fit_mirrored(strategy, batch_size):
    with strategy.scope():
        model = make_model(None, None)
    x, y = small_models.data(2 * batch_size)
    logs = model.fit(
        x, y, batch_size=batch_size, epochs=2, shuffle=False, verbose=0
    )
    return {name: values[-1] for name, values in logs.history.items()}


def main():
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    results = {"fit": fit_mirrored(mirrored, 8)}
    for name, (batch_size, regularizer, posterior) in CASES.items():
        results[name] = []
        for strategy in (tf.distribute.get_strategy(), mirrored):
            with strategy.scope():
                model = make_model(regularizer, posterior)
                model.optimizer.build(model.trainable_variables)
            results[name].append(train(model, batch_size, strategy))
    print(json.dumps(results))


if __name__ == "__main__":
    main()

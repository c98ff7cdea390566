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
from bbh_tf.layers import drawing
from tests.models import alone_training
from tests.models import kernel_training
from tests.models import small_models
from tests.priors import linear_gaussian

CASES = {
    "uneven": (7, None, None),
    "regularizer": (8, "l2", None),
    "annealed and clipped mean field": (7, None, "mean field"),
    "adversarial": (8, None, "adversarial"),
    "hypernetwork of a network": (8, None, "flow"),
    "deep weight prior": (7, None, "deep weight prior"),
    "one call": (8, None, "one call"),
    "fused": (7, None, "fused"),
}
# Examples of a batch, and steps, from which the moments of noise are taken.
NOISY_BATCH, NOISY_STEPS = 8, 400
NOISY = ("dropout", "MNF")


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
    if posterior == "fused":
        model = small_models.model(small_models.network(extra), compiled=False)
        # Four steps of seven are three and a half epochs of eight examples.
        rate = bbh.optimizers.EpochCosineDecay(0.01, decay_epochs=4)
        model.compile(bbh.optimizers.FusedAdam(rate, weight_decay=0.1))
        return model
    if posterior == "flow":
        return small_models.model(
            bbh.models.bayesify(
                plain(extra),
                bbh.posteriors.WeightNormFlow(
                    bbh.flows.real_nvp(2, (4,), initial_log_scale=-2.0, seed=1)
                ),
                scope="network",
            ),
            divergence=bbh.divergences.MonteCarloKL(),
        )
    if posterior == "deep weight prior":
        return small_models.model(
            with_kernel_prior(), divergence=bbh.divergences.MonteCarloKL()
        )
    if posterior == "one call":
        return bbh.models.bayes_by_hypernet(
            plain(extra),
            num_train_examples=8,
            num_epochs=4,
            seed=3,
            print_fn=lambda *_: None,
        )
    model = small_models.model(
        small_models.network(extra, posterior=bbh.posteriors.MeanField()),
        compiled=False,
        divergence=bbh.divergences.AnalyticKL(),
        annealing=bbh.annealing.Linear(0, 10),
    )
    model.compile(bbh.optimizers.FusedAdam(0.01, global_clipnorm=0.01))
    return model


def plain(extra):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, activation="tanh"),
            extra,
            keras.layers.Dense(3),
        ]
    )


def with_kernel_prior():
    """A random convolution, whose prior trains a reverse model."""
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Reshape((2, 2, 1)),
            bbh.layers.Bayesian(
                keras.layers.Conv2D(4, 3, padding="same", activation="tanh"),
                bbh.posteriors.MeanField(),
                prior=linear_gaussian.prior(error=0.5, num_slices=3),
            ),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )


def train(model, batch_size, strategy, loops=False):
    """Trains by `fit`, or by a loop of one's own over `train_step`."""
    x, y = small_models.data(2 * batch_size)
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(batch_size)

    if loops:

        @tf.function
        def step(batch):
            return strategy.run(model.train_step, (batch,))

        distributed = strategy.experimental_distribute_dataset(batches)
        for _ in range(2):
            model.reset_metrics()
            for batch in distributed:
                step(batch)
        last = model.get_metrics_result()
    else:
        logs = model.fit(batches, epochs=2, verbose=0, shuffle=False)
        last = {name: values[-1] for name, values in logs.history.items()}
    return {
        "logs": {name: float(value) for name, value in last.items()},
        "weights": [np.array(v).tolist() for v in model.trainable_variables],
        "counters": [
            int(np.array(model.draw_number)),
            int(np.array(model.examples_seen)),
        ],
    }


def fused_operations(strategy):
    """Returns how many variables a fused update is for, of how many."""
    with strategy.scope():
        model = make_model(None, "fused")
        model.optimizer.build(model.trainable_variables)
    x, y = small_models.data(8)
    graph = tf.function(
        lambda: strategy.run(
            model.train_step, ((tf.constant(x), tf.constant(y)),)
        )
    ).get_concrete_function()
    names = [operation.type for operation in graph.graph.get_operations()]
    return names.count("ResourceApplyAdam"), len(model.trainable_variables)


def noise(strategy):
    """Returns outputs of layers with noise, and states of seeds after.

    For one device, then for both replicas.
    """
    with strategy.scope():
        network = keras.Sequential(
            [
                keras.Input((200,)),
                bbh.layers.MCDropout(0.5, seed=1),
                keras.layers.Dropout(0.5, seed=2),
            ]
        )
    layers = [network.layers[0]]

    def call():
        outputs, _ = drawing.call(
            network,
            layers,
            [None],
            0,
            (tf.ones((1, 200)),),
            {"training": True},
        )
        return outputs, [
            tf.convert_to_tensor(layer.seed_generator.state.value)
            for layer in network.layers
        ]

    before = [layer.seed_generator.state.numpy() for layer in network.layers]
    outputs, states = tf.function(lambda: strategy.run(call))()
    results = strategy.experimental_local_results
    for layer, value in zip(network.layers, before):
        layer.seed_generator.state.assign(value)
    alone, after = call()
    return {
        "replicas": [x.numpy().tolist() for x in results(outputs)],
        "states": [[x.numpy().tolist() for x in results(s)] for s in states],
        "alone": alone.numpy().tolist(),
        "state": [x.numpy().tolist() for x in after],
    }


def noisy_steps(layer, strategy):
    """Trains with noise of single examples on an example, many times over.

    Returns:
        Of each step the NLL, `(steps,)`, and the change of the last layer's
        bias, in units of the learning rate, `(steps, 3)`. The learning rate is
        so small that the steps are alike.
    """
    rate = 1e-4
    with strategy.scope():
        keras.utils.set_random_seed(0)
        if layer == "dropout":
            between = [
                keras.layers.Dense(5, activation="tanh"),
                bbh.layers.MCDropout(0.5, seed=1),
            ]
        else:
            between = [bbh.layers.MNFDense(5, initial_log_std=-1.0, seed=1)]
        logits = keras.layers.Dense(3)
        network = keras.Sequential([keras.Input((4,)), *between, logits])
        model = small_models.model(network, compiled=False)
        model.compile(keras.optimizers.SGD(rate))
    x, _ = small_models.data(1)
    count = NOISY_BATCH * NOISY_STEPS
    losses, biases = [], [np.zeros(3)]

    def note(batch, logs):
        losses.append(float(logs["nll"]))
        biases.append(np.array(logits.bias, np.float64))
        model.reset_metrics()

    model.fit(
        np.repeat(2 * x, count, axis=0),
        np.ones(count, int),
        batch_size=NOISY_BATCH,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=note)],
    )
    return {
        "nll": losses,
        "gradient": (np.diff(biases, axis=0) / -rate).tolist(),
    }


def predictions(strategy):
    """Returns draws, their mean, and whether they were spread."""
    x, _ = small_models.data(10)
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = small_models.model(
            small_models.network(keras.layers.BatchNormalization())
        )
    model.calibration_data = x[:4]
    return {
        "samples": model.predict_samples(x, 19, batch_size=4).tolist(),
        "mean": model.predict(x, num_samples=19, verbose=0).tolist(),
        "is spread": model._predictor()._replicated is not None,
    }


def clipping(strategy):
    """Returns what is said to an optimiser that clips."""
    with strategy.scope():
        model = make_model(None, None)
        model.compile(keras.optimizers.Adam(0.01, global_clipnorm=1.0))
    try:
        model.fit(*small_models.data(8), verbose=0)
    except ValueError as error:
        return str(error)
    return "nothing"


def main():
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    results = {
        "fused operations": fused_operations(mirrored),
        "noise": noise(mirrored),
        "clipping": clipping(mirrored),
        "predictions": [
            predictions(strategy)
            for strategy in (tf.distribute.get_strategy(), mirrored)
        ],
        "alone": [
            alone_training.train(strategy)
            for strategy in (tf.distribute.get_strategy(), mirrored)
        ],
        "kernel autoencoder": [
            kernel_training.train(strategy)
            for strategy in (tf.distribute.get_strategy(), mirrored)
        ],
    }
    for layer in NOISY:
        results[layer] = [
            noisy_steps(layer, strategy)
            for strategy in (tf.distribute.get_strategy(), mirrored)
        ]
    for name, (batch_size, regularizer, posterior) in CASES.items():
        results[name] = []
        for strategy in (tf.distribute.get_strategy(), mirrored):
            with strategy.scope():
                model = make_model(regularizer, posterior)
                model.optimizer.build(model.trainable_variables)
            # Four steps of one device take less time than their graph.
            model.run_eagerly = strategy is not mirrored
            loops = name == "uneven" and strategy is mirrored
            results[name].append(train(model, batch_size, strategy, loops))
    print(json.dumps(results))


if __name__ == "__main__":
    main()

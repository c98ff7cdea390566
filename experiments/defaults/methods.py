"""The methods: networks as they are, and what one call makes of them."""

import functools
import time

import numpy as np

from experiments import lazy
from experiments.defaults import measures
from experiments.errors import diverged

bbh = lazy.import_module("bbh_tf")
keras = lazy.import_module("keras")
shuffled = lazy.import_module("experiments.shuffled")

# Each member of the ensemble by itself is the plain network.
PLAIN = "plain"
TITLES = {
    PLAIN: "plain network",
    "map": "MAP",
    "dropout": "MC dropout",
    "ensemble": "deep ensemble",
    "bbb": "bayes_by_backprop",
    "bbh": "bayes_by_hypernet",
}
TRAINED = tuple(name for name in TITLES if name != PLAIN)
CALLS = ("bbb", "bbh")
_MEMBERS = 5
# Adam's, of all but the calls.
LEARNING_RATE = 1e-3


def run(method, dataset, problem, seed, epochs, **settings):
    """Trains a method, and measures it.

    Args:
        method: one of `TRAINED`.
        dataset: a `problems.Dataset`.
        problem: a `problems.Problem`.
        seed: of the beginning, the batches and the draws.
        epochs: passes over the training set.
        **settings: arguments of the one calls in place of their choices;
            `learned_prior_scale`, for the prior.

    Returns:
        Dictionary: `"measures"`, as `measures.of` returns them; `"members"`,
        a list of those of an ensemble's members, else empty; `"seconds"` of
        training and prediction; `"chosen"`, what a call says that it chose,
        else `""`.
    """
    keras.utils.set_random_seed(seed)
    started = time.monotonic()
    chosen = []
    model = _model(
        method,
        dataset,
        problem,
        seed,
        num_epochs=epochs,
        print_fn=chosen.append,
        **settings,
    )
    model.fit(
        shuffled.batches(problem.train, dataset.batch_size, seed),
        shuffle=False,
        epochs=epochs,
        verbose=0,
    )
    draws = [
        None if x is None else model.predict_samples(x, batch_size=1000)
        for x in (problem.test[0], problem.outliers)
    ]
    seconds = time.monotonic() - started
    if not all(np.isfinite(x).all() for x in draws if x is not None):
        raise diverged(
            "finite predictions",
            f"{dataset.title}, {TITLES[method]}, split {seed}",
        )
    parts = range(_MEMBERS) if method == "ensemble" else ()
    return {
        "measures": measures.of(problem, *draws),
        "members": [
            measures.of(
                problem, *(None if x is None else x[k : k + 1] for x in draws)
            )
            for k in parts
        ],
        "seconds": seconds,
        "chosen": "".join(chosen),
    }


def _model(method, dataset, problem, seed, **settings):
    num_train = len(problem.train[0])
    network = functools.partial(_network, dataset, problem)
    common = {"likelihood": problem.likelihood, "seed": seed}
    if method in CALLS:
        call = {
            "bbb": bbh.models.bayes_by_backprop,
            "bbh": bbh.models.bayes_by_hypernet,
        }[method]
        learned = settings.pop("learned_prior_scale", None)
        if learned is not None:
            priors = bbh.priors
            settings["prior"] = (
                priors.NormalLearnedScale() if learned else priors.Normal()
            )
        return call(network(), num_train, **common, **settings)
    # N(0, 1) on each weight of a kernel; the loss is a mean over examples.
    prior = keras.regularizers.L2(0.5 / num_train)
    if method == "dropout":
        made = network(prior, dataset.dropout_rate)
        model = bbh.models.BayesianModel(made, num_train, **common)
    elif method == "map":
        model = bbh.models.DeepEnsemble(network(prior), 1, **common)
    else:
        model = bbh.models.DeepEnsemble(network(), _MEMBERS, **common)
    model.compile(bbh.optimizers.FusedAdam(LEARNING_RATE))
    return model


def _network(dataset, problem, regularizer=None, dropout_rate=0.0):
    shape = problem.train[0].shape[1:]
    if dataset.kernel_size is not None:
        return bbh.models.lenet(
            input_shape=shape,
            num_classes=problem.num_outputs,
            units=dataset.units,
            kernel_size=dataset.kernel_size,
            kernel_regularizer=regularizer,
            dropout_rate=dropout_rate,
        )
    layers = [keras.Input(shape)]
    for units in dataset.units:
        layers.append(
            keras.layers.Dense(units, "relu", kernel_regularizer=regularizer)
        )
        if dropout_rate:
            layers.append(bbh.layers.MCDropout(dropout_rate))
    layers.append(
        keras.layers.Dense(problem.num_outputs, kernel_regularizer=regularizer)
    )
    return keras.Sequential(layers)

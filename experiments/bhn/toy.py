"""Blundell's curve: a plain network, Bayesian hypernetworks, and NUTS."""

import dataclasses
import math
import time

import keras
import numpy as np

import bbh_tf as bbh
from experiments import shuffled
from experiments.bhn import toy_data
from experiments.toy import measures
from experiments.toy import reference as nuts

METHODS = {
    "plain": "Plain network",
    "scales": "BHN on the scales g",
    "weights": "BHN on all weights",
}
# The plain network's rate over the others'; ours.
_PLAIN_RATE = 5.0
REFERENCE = "nuts"
NAMES = {**METHODS, REFERENCE: "Posterior (NUTS)"}


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of the comparison; the authors' where not said otherwise.

    Attributes:
        num_train: points of data.
        units: hidden units of the primary network.
        num_layers: couplings of the flows; ours: the authors' flow is one of
            LU-factored layers.
        flow_units: width of their hidden layers; ours.
        batch_size: points in a batch.
        num_epochs: passes over the data; 1,000 in the authors' code.
        num_samples: draws a step; ours.
        learning_rate: Adam's, falling to 1e-5 in a straight line over nine
            tenths of the steps; 0.0005 in the authors' code, constant at
            first.
        num_draws: functions that are drawn and measured.
        num_chains: chains of the reference; 100 in the authors' code.
        num_chain_draws: draws of each chain, after as many in which it
            settles; 50 in the authors' code.
    """

    num_train: int = 1000
    units: int = 50
    num_layers: int = 4
    flow_units: int = 64
    batch_size: int = 32
    num_epochs: int = 200
    num_samples: int = 4
    learning_rate: float = 0.003
    num_draws: int = 500
    num_chains: int = 8
    num_chain_draws: int = 250


def compare(settings, seed):
    """Trains all methods and samples the posterior.

    The noise of the likelihood is the standard deviation of the labels around
    the curve, for all alike: the authors learn it as one parameter more, and
    with it known the flow over weights and NUTS have the same posterior to
    come to. The flow over scales has its prior on these alone, and the plain
    network none.

    Args:
        settings: a `Settings`.
        seed: an integer, of all but the data.

    Returns:
        `(results, draws)`: a dictionary of numbers, and one from the keys of
        `NAMES` to functions drawn, `(num_draws, num_grid)`.
    """
    x, y = toy_data.training_data(settings.num_train)
    grid = toy_data.grid()
    seconds, draws = {}, {}
    start = time.monotonic()
    noise_std = float(np.std(y - toy_data.curve(x)))
    network = _plain(settings, x, y, seed)
    draws["plain"] = network.predict(grid, verbose=0).T
    seconds["plain"] = time.monotonic() - start
    training = {}
    for method in ("scales", "weights"):
        start = time.monotonic()
        model, training[method] = _train(
            method, settings, x, y, noise_std, seed
        )
        samples = model.predict_samples(grid, settings.num_draws, seed=seed)
        draws[method] = samples[..., 0]
        seconds[method] = time.monotonic() - start
    start = time.monotonic()
    found = nuts.run(
        (x, y),
        grid,
        settings.units,
        noise_std,
        settings.num_chains,
        settings.num_chain_draws,
        seed,
    )
    draws[REFERENCE] = found.draws.reshape(-1, len(grid))
    seconds[REFERENCE] = time.monotonic() - start
    return {
        "noise_std": noise_std,
        "training": training,
        "reference": found.diagnostics(),
        "measures": {
            key: _measures(values, draws[REFERENCE], grid[:, 0])
            for key, values in draws.items()
        },
        "seconds": seconds,
    }, draws


def _measures(draws, reference, grid):
    """Compares functions with the reference, where data are and elsewhere."""
    distance = measures.wasserstein(draws, reference)
    mean, other = draws.mean(axis=0), reference.mean(axis=0)
    ratio = draws.std(axis=0) / reference.std(axis=0)
    found = {}
    for where, chosen in (
        ("seen", toy_data.is_seen(grid)),
        ("unseen", ~toy_data.is_seen(grid)),
    ):
        found[where] = {
            "rmse_to_reference": measures.rmse(mean[chosen], other[chosen]),
            "std_ratio": float(np.mean(ratio[chosen])),
            "distance_to_reference": float(np.mean(distance[chosen])),
            "half_std": float(0.5 * np.mean(draws.std(axis=0)[chosen])),
        }
    return found


def _network(settings, seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(settings.units, activation="relu"),
            keras.layers.Dense(1),
        ]
    )


def _schedule(settings, factor=1.0):
    steps = settings.num_epochs * math.ceil(
        settings.num_train / settings.batch_size
    )
    return keras.optimizers.schedules.PolynomialDecay(
        factor * settings.learning_rate, max(1, int(0.9 * steps)), 1e-5
    )


def _fit(model, settings, x, y, seed):
    return model.fit(
        shuffled.batches((x, y), settings.batch_size, seed),
        shuffle=False,
        epochs=settings.num_epochs,
        verbose=0,
    ).history


def _plain(settings, x, y, seed):
    network = _network(settings, seed)
    network.compile(
        keras.optimizers.Adam(_schedule(settings, _PLAIN_RATE)),
        "mse",
        steps_per_execution=32,
    )
    _fit(network, settings, x, y, seed)
    return network


def _train(method, settings, x, y, noise_std, seed):
    flow = bbh.flows.real_nvp(
        settings.num_layers, (settings.flow_units,), seed=seed
    )
    make = {
        "scales": bbh.posteriors.WeightNormFlow,
        "weights": bbh.posteriors.Flow,
    }[method]
    model = bbh.models.BayesianModel(
        bbh.models.bayesify(
            _network(settings, seed), make(flow), scope="network"
        ),
        settings.num_train,
        likelihood=bbh.models.likelihoods.Normal(noise_std),
        divergence=bbh.divergences.MonteCarloKL(),
        num_samples=settings.num_samples,
        num_likelihood_samples=settings.num_samples,
        seed=seed,
    )
    model.compile(
        keras.optimizers.Adam(_schedule(settings), global_clipnorm=10.0),
        steps_per_execution=32,
    )
    history = _fit(model, settings, x, y, seed)
    return model, {key: history[key][-1] for key in ("loss", "nll", "kl")}

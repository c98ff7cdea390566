"""Objectives on the cubic of Figure 1, beside the posterior itself."""

import dataclasses
import math

import keras
import numpy as np
import tensorflow as tf

import bbh_tf as bbh
from experiments.bound import noisy_implicit
from experiments.toy import data as toy_data
from experiments.toy import measures as toy_measures
from experiments.toy import methods as toy_methods
from experiments.toy import reference as toy_reference
from experiments.toy import settings as toy_settings

_UNITS = (16, 32, 64)
_NEIGHBOURS = 3
# Key -> title, noise dimension (None: a normal for each weight), whether the
# bound is honest.
VARIANTS = {
    "marginals_1": ("sum of marginal KLs, d = 1", 1, False),
    "marginals_8": ("sum of marginal KLs, d = 8", 8, False),
    "bound_1": ("honest bound, d = 1", 1, True),
    "bound_8": ("honest bound, d = 8", 8, True),
    "bbb": ("Bayes by Backprop", None, True),
}
# Components with which I(w; z) is found when training is done.
_COMPONENTS_AFTERWARDS = 20_000


@dataclasses.dataclass(frozen=True)
class Settings:
    """What determines the numbers.

    Attributes:
        num_steps: training steps, each on all 20 points.
        num_components: of the honest bound, in training.
        num_draws: functions drawn from each.
        chains, chain_draws: of the No-U-Turn Sampler.
        seed: of all but the data.
    """

    num_steps: int = 5000
    num_components: int = 100
    num_draws: int = 500
    chains: int = 16
    chain_draws: int = 300
    seed: int = 0


def posterior(settings):
    """Draws from the posterior itself.

    Returns:
        `(functions, diagnostics)`: draws at `toy_data.grid()` and at the test
        points, `(num_draws, points)`, and a dictionary.
    """
    found = toy_reference.run(
        toy_data.training_data(),
        _points(),
        toy_settings.UNITS,
        toy_data.NOISE_STD,
        settings.chains,
        settings.chain_draws,
        settings.seed,
    )
    functions = found.draws.reshape(-1, found.draws.shape[-1])
    return functions, found.diagnostics()


def train(variant, settings):
    """Trains under one objective.

    Returns:
        `(functions, numbers)`: as `posterior`; a dictionary: `"nll"`, nats
        for all points, and `"kl"`, nats, as estimated in the last tenth of
        training; `"information"`, I(w; z) in nats, or None where there is no
        mixture.
    """
    _, noise_dim, is_honest = VARIANTS[variant]
    keras.utils.set_random_seed(settings.seed)
    data = toy_data.training_data()
    model = _model(noise_dim, is_honest, settings, len(data[0]))
    rate = keras.optimizers.schedules.CosineDecay(5e-3, settings.num_steps)
    model.compile(
        bbh.optimizers.FusedAdam(rate, global_clipnorm=1.0),
        steps_per_execution=math.gcd(100, settings.num_steps // 10),
    )
    history = model.fit(
        tf.data.Dataset.from_tensors(data).repeat(),
        epochs=10,
        steps_per_epoch=settings.num_steps // 10,
        shuffle=False,
        verbose=0,
    ).history
    functions = toy_methods.predict(model, _points(), settings.num_draws)
    numbers = {
        "nll": len(data[0]) * history["nll"][-1],
        "kl": history["kl"][-1],
        "information": None,
    }
    if is_honest and noise_dim is not None:
        (layer,) = model.bayesian_layers
        numbers["information"] = layer.posterior.information(
            settings.num_draws,
            _COMPONENTS_AFTERWARDS,
            bbh.randomness.key(settings.seed, 9),
        )
    return functions, numbers


def measure(functions, reference):
    """Measures functions, as Figure 1's table does."""
    _, test_y = toy_data.test_data()
    size = len(toy_data.grid())
    return toy_measures.measure(
        functions[:, :size],
        functions[:, size:],
        test_y[:, 0],
        reference[:, :size],
    )


def _points():
    return np.concatenate([toy_data.grid(), toy_data.test_data()[0]])


def _model(noise_dim, is_honest, settings, num_train):
    network = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(toy_settings.UNITS, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    if noise_dim is None:
        recipe = bbh.posteriors.MeanField(-3.0)
        divergence = bbh.divergences.AnalyticKL()
    elif is_honest:
        recipe = noisy_implicit.NoisyImplicit(
            _UNITS, noise_dim, settings.num_components
        )
        divergence = bbh.divergences.MonteCarloKL()
    else:
        recipe = bbh.posteriors.Implicit(
            bbh.hypernetworks.MLP(_UNITS), noise_dim
        )
        divergence = bbh.divergences.NearestNeighbourEntropy(_NEIGHBOURS)
    # One posterior of all weights: all that differs is the objective.
    scope = "layer" if noise_dim is None else "network"
    return bbh.models.BayesianModel(
        bbh.models.bayesify(network, recipe, scope=scope),
        num_train,
        likelihood=bbh.models.likelihoods.Normal(toy_data.NOISE_STD),
        divergence=divergence,
        num_likelihood_samples=5,
        seed=settings.seed,
    )

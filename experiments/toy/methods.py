"""The six methods of Figure 1, trained on the 20 points."""

import functools
import math

import keras
import tensorflow as tf

import bbh_tf as bbh
from experiments.toy import data as toy_data
from experiments.toy import released_code as toy_released_code
from experiments.toy import settings as toy_settings


def train(method, settings, data, seed):
    """Trains a method.

    Args:
        method: one of `toy_settings.METHODS`.
        settings: a `toy_settings.Settings`.
        data: `(x, y)`, arrays of shape `(num_points, 1)`.
        seed: integer.

    Returns:
        `(model, metrics)`: a `bbh_tf` model, and the metrics of the last
        tenth of its training, a dictionary of floats.
    """
    keras.utils.set_random_seed(seed)
    model = _MODELS[method](settings, data, seed)
    rate = settings.learning_rate
    if settings.decays:
        rate = keras.optimizers.schedules.CosineDecay(rate, settings.num_steps)
    model.compile(
        bbh.optimizers.FusedAdam(
            rate,
            epsilon=settings.epsilon,
            global_clipnorm=settings.clipnorm or None,
        ),
        jit_compile=False,
        steps_per_execution=math.gcd(100, settings.num_steps // 10),
    )
    # One step is one epoch: as such Keras would take 30 times as long.
    history = model.fit(
        tf.data.Dataset.from_tensors(data).repeat(),
        epochs=10,
        steps_per_epoch=settings.num_steps // 10,
        shuffle=False,
        verbose=0,
    ).history
    return model, {name: values[-1] for name, values in history.items()}


def predict(model, x, num_samples):
    """Returns functions drawn from a model, `(num_draws, num_points)`.

    Of an ensemble, one a member.
    """
    if isinstance(model, bbh.models.DeepEnsemble):
        num_samples = None
    draws = model.predict_samples(x, num_samples, batch_size=len(x))
    return draws[..., 0]


def _network(regularizer=None, dropout_rate=None):
    dense = functools.partial(
        keras.layers.Dense,
        kernel_regularizer=regularizer,
        bias_regularizer=regularizer,
    )
    layers = [dense(toy_settings.UNITS, activation="relu"), dense(1)]
    if dropout_rate is not None:
        layers.insert(1, bbh.layers.MCDropout(dropout_rate))
    return keras.Sequential([keras.Input((1,)), *layers])


def _regularizer(settings, data):
    # -log N(w; 0, 1) is w^2 / 2; the loss is a mean over the points.
    if not settings.has_prior:
        return None
    return keras.regularizers.L2(0.5 / len(data[0]))


def _likelihood():
    return bbh.models.likelihoods.Normal(toy_data.NOISE_STD)


def _map(settings, data, seed):
    # An ensemble of one is trained, and predicts, as the others do.
    return bbh.models.DeepEnsemble(
        _network(_regularizer(settings, data)),
        num_members=1,
        likelihood=_likelihood(),
        seed=seed,
    )


def _ensemble(settings, data, seed):
    return bbh.models.DeepEnsemble(
        _network(_regularizer(settings, data)),
        num_members=settings.num_members,
        likelihood=_likelihood(),
        adversarial_epsilon=settings.adversarial_epsilon,
        seed=seed,
    )


def _bayesian(network, settings, data, seed, divergence=None):
    return bbh.models.BayesianModel(
        network,
        num_train_examples=len(data[0]),
        likelihood=_likelihood(),
        divergence=divergence,
        num_samples=settings.num_samples,
        num_prior_samples=settings.num_prior_samples,
        num_likelihood_samples=settings.num_likelihood_samples,
        annealing=toy_released_code.annealing
        if settings.anneals_to_zero
        else None,
        kl_scale=settings.kl_scale,
        seed=seed,
    )


def _dropout(settings, data, seed):
    network = _network(_regularizer(settings, data), settings.dropout_rate)
    return _bayesian(network, settings, data, seed)


def _bbb(settings, data, seed):
    posterior = bbh.posteriors.MeanField(settings.initial_log_variance)
    network = bbh.models.bayesify(_network(), posterior)
    divergence = bbh.divergences.AnalyticKL()
    return _bayesian(network, settings, data, seed, divergence)


def _mnf(settings, data, seed):
    dense = functools.partial(
        bbh.layers.MNFDense,
        max_std=settings.max_std,
        initial_log_std=settings.initial_log_std,
        initial_z_mean=settings.initial_z_mean,
    )
    network = keras.Sequential(
        [
            keras.Input((1,)),
            dense(toy_settings.UNITS, activation="relu", seed=seed),
            # Layers of one seed would have the same noise.
            dense(1, seed=seed + 1),
        ]
    )
    return _bayesian(network, settings, data, seed)


def _bbh(settings, data, seed):
    posterior = bbh.posteriors.Implicit(
        bbh.hypernetworks.MLP(settings.hypernetwork_units),
        noise_dim=settings.noise_dim,
        shared_noise=settings.shared_noise,
    )
    network = bbh.models.bayesify(_network(), posterior)
    divergence = {
        "kernel": bbh.divergences.KernelKL,
        "full_kernel": lambda: bbh.divergences.KernelKL(per_weight=False),
        "entropy": lambda: bbh.divergences.NearestNeighbourEntropy(1),
        "constant_entropy": toy_released_code.ConstantEntropyKL,
    }[settings.divergence]()
    return _bayesian(network, settings, data, seed, divergence)


_MODELS = {
    "map": _map,
    "ensemble": _ensemble,
    "dropout": _dropout,
    "bbb": _bbb,
    "mnf": _mnf,
    "bbh": _bbh,
}

"""Densities of kernels that are fitted, and what they reach on others."""

import time

import keras
import numpy as np

import bbh_tf as bbh
from bbh_tf.priors import latent_bound
from experiments import epoch_bar
from experiments import shuffled

_NUM_SAMPLES, _NUM_IMPORTANCE_SAMPLES = 20, 200
# The first of the kernels, on which a bound with many samples is computed.
_NUM_WEIGHTED = 1000


def train(kernels, latent_dim, config):
    """Trains an autoencoder as the paper does.

    Adam, whose rate falls linearly to 0 over all steps; minus the bound with
    one sample of z.

    Args:
        kernels: `(count, k, k)`.
        latent_dim: dimension of z.
        config: a `settings.PriorConfig`.

    Returns:
        `(autoencoder, history)`: history is a list of the mean training
        losses, nats per kernel, of the epochs.
    """
    keras.utils.set_random_seed(config.seed)
    autoencoder = bbh.models.KernelAutoencoder(
        kernels.shape[1],
        latent_dim,
        config.num_steps,
        seed=config.seed,
        scale=1.0 if config.rms is None else _rms(kernels) / config.rms,
    )
    steps = -(-len(kernels) // config.batch_size) * config.epochs
    schedule = keras.optimizers.schedules.PolynomialDecay(
        config.learning_rate, steps, end_learning_rate=0.0
    )
    autoencoder.compile(keras.optimizers.Adam(schedule))
    history = autoencoder.fit(
        shuffled.batches((kernels,), config.batch_size, config.seed),
        shuffle=False,
        epochs=config.epochs,
        callbacks=[epoch_bar.EpochBar(f"z of {autoencoder.latent_dim}")],
        verbose=0,
    )
    return autoencoder, history.history["loss"]


def measure_autoencoder(autoencoder, kernels):
    """Computes bound, importance-weighted bound and KL(r || p(z)).

    Args:
        autoencoder: a `bbh_tf.models.KernelAutoencoder`.
        kernels: `(count, k, k)`.

    Returns:
        Dictionary: `bound` (20 samples of z), `importance_weighted` (200, the
        first 1,000 kernels) and `kl` (None with a Markov chain), each mean and
        standard error, nats per kernel.
    """
    bound = autoencoder.log_prob(kernels, _NUM_SAMPLES)
    weighted = autoencoder.log_prob(
        kernels[:_NUM_WEIGHTED],
        _NUM_IMPORTANCE_SAMPLES,
        importance_weighted=True,
    )
    kl = None
    if not autoencoder.num_steps:
        mean, variance = autoencoder.encoder.predict(
            kernels, batch_size=512, verbose=0
        )
        kl = _mean(
            0.5 * np.sum(variance + mean**2 - 1 - np.log(variance), axis=1)
        )
    return {
        "bound": _mean(bound),
        "importance_weighted": _mean(weighted),
        "kl": kl,
    }


def measure_normals(train_kernels, kernels):
    """Computes exact log-densities of three normals fitted to kernels.

    Args:
        train_kernels: what they are fitted to, `(count, k, k)`.
        kernels: what they are measured on.

    Returns:
        Dictionary from names to mean and standard error, nats per kernel.
    """
    size = train_kernels.shape[1]
    full = bbh.priors.KernelNormal(size)
    full.fit(train_kernels)
    mean, std = train_kernels.mean(axis=0), train_kernels.std(axis=0)
    return {
        "full_covariance": _mean(
            np.asarray(full.slice_log_prob(kernels, None))
        ),
        "factorised": _mean(_log_normal(kernels, mean, std)),
        "standard": _mean(_log_normal(kernels, 0.0, 1.0)),
    }


def measure_flow(train_kernels, kernels, seed):
    """Trains a flow of kernels, and computes its exact log-density.

    Args:
        train_kernels: what it is fitted to, `(count, k, k)`; a tenth of them
            says which epoch's flow it is.
        kernels: what it is measured on, which say nothing.
        seed: seed of the flow, and of the order of kernels.

    Returns:
        Dictionary: `train` and `held_out`, mean and standard error, nats per
        kernel; `epochs`, after how many it was densest; `seconds`.
    """
    keras.utils.set_random_seed(seed)
    flow = bbh.priors.KernelFlow(train_kernels.shape[1])
    history, seconds = timed(flow.fit, train_kernels)
    return {
        "train": _mean(flow.slice_log_prob(train_kernels, None)),
        "held_out": _mean(flow.slice_log_prob(kernels, None)),
        "epochs": int(np.argmax(history["val_log_prob"])) + 1,
        "seconds": seconds,
    }


def samples(autoencoder, count, seed):
    """Draws kernels, and means of the decoder.

    Returns:
        Two arrays `(count, k, k)`: draws of w, and E[w | z] of others.
    """
    prior = autoencoder.as_prior()
    drawn = prior.sample_slices(1, count, bbh.randomness.key(seed, 0))[0]
    noise = [
        bbh.randomness.normal(
            bbh.randomness.key(seed, 1, step), count, (autoencoder.latent_dim,)
        )
        for step in range(autoencoder.num_steps + 1)
    ]
    mean, _ = latent_bound.generate(autoencoder.networks, noise)
    return np.asarray(drawn), np.asarray(mean)


def norms(kernels):
    """Says how large kernels are.

    Args:
        kernels: `(count, k, k)`.

    Returns:
        Quantiles of their Euclidean norms: 5 %, 50 % and 95 %.
    """
    found = np.linalg.norm(kernels, axis=(1, 2))
    return np.quantile(found, (0.05, 0.5, 0.95)).tolist()


def timed(function, *args):
    """Returns what a function returns, and the seconds that it took."""
    start = time.perf_counter()
    found = function(*args)
    return found, time.perf_counter() - start


def _log_normal(kernels, mean, std):
    each = ((kernels - mean) / std) ** 2 + np.log(2 * np.pi * np.square(std))
    return -0.5 * np.sum(np.broadcast_to(each, kernels.shape), axis=(1, 2))


def _rms(kernels):
    return float(np.sqrt(np.mean(np.square(kernels))))


def _mean(values):
    values = np.asarray(values, np.float64)
    error = values.std(ddof=1) / np.sqrt(len(values))
    return [float(values.mean()), float(error)]

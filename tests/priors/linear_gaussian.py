"""Hidden-variable densities of 3 x 3 kernels that are normal, hence known.

z_0 ~ N(0, I); z_{t+1} = 0.8 z_t + 0.5 noise; w = A z_T + b + 0.3 noise, where A
has orthogonal columns, so that what hides behind w is independent normals, too.
"""

import keras
import numpy as np
import scipy.stats

import bbh_tf as bbh

SIZE, DIM = 3, 2
_SCALES = np.array([1.5, 0.6])
_FACTOR, _STEP, _NOISE = 0.8, 0.5, 0.3
_generator = np.random.default_rng(3)
_A = np.linalg.qr(_generator.normal(size=(SIZE**2, DIM)))[0] * _SCALES
_B = _generator.normal(size=SIZE**2)


def _latent_variance(num_steps):
    variance = 1.0
    for _ in range(num_steps):
        variance = _FACTOR**2 * variance + _STEP**2
    return variance


def normal(num_steps=0):
    """The density itself, over the nine pixels."""
    covariance = _latent_variance(num_steps) * _A @ _A.T
    covariance += _NOISE**2 * np.eye(SIZE**2)
    return scipy.stats.multivariate_normal(_B, covariance)


def prior(num_steps=0, error=0.0, **kwargs):
    """The density as a `DeepWeightPrior`.

    Args:
        num_steps: T.
        error: how far the reverse model's mean is from the right one; at 0 the
            model is r(z | w) = p(z | w).
        **kwargs: arguments of the prior.
    """
    decoder = _linear(DIM, (SIZE, SIZE), _A.T, _B, _NOISE**2)
    before = _latent_variance(num_steps)
    variance = 1 / (1 / before + _SCALES**2 / _NOISE**2)
    backward = _A / _NOISE**2 * variance
    reverse = _linear(
        (SIZE, SIZE), (DIM,), backward, -_B @ backward + error, variance
    )
    forward, back = [], []
    for step in range(num_steps):
        forward.append(
            _linear(DIM, (DIM,), _FACTOR * np.eye(DIM), 0.0, _STEP**2)
        )
        variance = 1 / (1 / _latent_variance(step) + _FACTOR**2 / _STEP**2)
        matrix = _FACTOR / _STEP**2 * variance * np.eye(DIM)
        back.append(_linear(DIM, (DIM,), matrix, error, variance))
    return bbh.priors.DeepWeightPrior(decoder, reverse, forward, back, **kwargs)


def kernels(count, num_steps=0):
    """Draws of the density, `(count, 3, 3)`."""
    drawn = normal(num_steps).rvs(count, random_state=1)
    return drawn.reshape(count, SIZE, SIZE).astype("float32")


def _linear(inputs, outputs, matrix, offset, variance):
    given = keras.Input((inputs,) if isinstance(inputs, int) else inputs)
    flat = keras.layers.Flatten()(given)
    size = int(np.prod(outputs))
    mean, constant = keras.layers.Dense(size), keras.layers.Dense(size)
    results = [
        keras.layers.Reshape(outputs)(dense(flat)) for dense in (mean, constant)
    ]
    mean.set_weights([matrix, np.broadcast_to(offset, size)])
    constant.set_weights([0 * matrix, np.broadcast_to(variance, size)])
    return keras.Model(given, results)

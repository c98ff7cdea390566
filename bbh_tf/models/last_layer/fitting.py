"""The normal distribution of a last layer's weights."""

import dataclasses
import warnings

import numpy as np

from bbh_tf.models.last_layer import marginal_likelihood

# Newton's method: nats for each weight by which a step is still to help,
# steps, and halvings of one.
_SMALLEST_GAIN = 1e-10
_MOST_STEPS = 200
_MOST_HALVINGS = 30


@dataclasses.dataclass(frozen=True)
class Fit:
    """N(mean, covariance) of a last layer's D weights.

    Attributes:
        mean: array `(inputs, C)`.
        scale_tril: Cholesky factor of the covariance, `(D, D)`; or, where that
            is diagonal, the standard deviations, `(D,)`.
        precision: of the prior.
        noise_scale: standard deviation of the labels; 1 where there is none.
        log_evidence: of the data, nats.
        num_examples: how many there were.
    """

    mean: np.ndarray
    scale_tril: np.ndarray
    precision: float
    noise_scale: float
    log_evidence: float
    num_examples: int


def fit(moments_at, weights, precision, noise_scale, at_mode):
    """Fits the distribution; see `bbh_tf.models.laplace`.

    Args:
        moments_at: function from weights `(inputs, C)` to `Moments`.
        weights: those of the trained network.
        precision: of the prior, or None for the best.
        noise_scale: of the labels, or None for the best.
        at_mode: whether to go to the mode first.

    Returns:
        `Fit`.

    Raises:
        ValueError: if the network knows no more than a constant.
    """
    fixed = precision, noise_scale
    state = _State(moments_at(weights), weights, *fixed)
    _check_trained(state.moments)
    if at_mode:
        state = _mode(state, moments_at, fixed)
    else:
        _warn_of_a_slope(state)
    return Fit(
        mean=state.weights,
        scale_tril=state.scale_tril(),
        precision=state.precision,
        noise_scale=state.noise_scale,
        log_evidence=state.log_evidence(),
        num_examples=state.moments.num_examples,
    )


class _State:
    """Weights, what the data say of them, and prior and noise to go with."""

    def __init__(self, moments, weights, precision, noise_scale):
        self.weights = weights
        self.moments = moments
        self._vectors = None
        eigenvalues = moments.hessian
        if eigenvalues.ndim == 2:
            eigenvalues, self._vectors = np.linalg.eigh(eigenvalues)
        # Rounding makes some of those that are 0 negative.
        self._eigenvalues = np.maximum(eigenvalues, 0.0)
        self._square_norm = float(np.square(weights).sum())
        self.precision, self.noise_scale = marginal_likelihood.maximise(
            moments,
            self._eigenvalues,
            self._square_norm,
            precision,
            noise_scale,
        )

    def _curvatures(self):
        return self._eigenvalues / self.noise_scale**2 + self.precision

    def step(self):
        """Returns Newton's step, and by how many nats it would help."""
        slope = self.moments.gradient / self.noise_scale**2
        slope = slope - self.precision * self.weights.reshape(-1)
        along = slope if self._vectors is None else self._vectors.T @ slope
        step = along / self._curvatures()
        gain = 0.5 * float(along @ step)
        if self._vectors is not None:
            step = self._vectors @ step
        return step.reshape(self.weights.shape), gain

    def log_joint(self, moments, weights):
        """Returns log p(y, w), but for a constant, under this prior."""
        log_likelihood = moments.log_likelihood_at(self.noise_scale)
        return log_likelihood - 0.5 * self.precision * np.square(weights).sum()

    def scale_tril(self):
        stds = 1.0 / np.sqrt(self._curvatures())
        if self._vectors is None:
            return stds
        # R^T R = V diag(stds^2) V^T, without the rounding of that product.
        upper = np.linalg.qr((self._vectors * stds).T, mode="r")
        return upper.T * np.sign(np.diagonal(upper))

    def log_evidence(self):
        return marginal_likelihood.log_evidence(
            self.moments,
            self._eigenvalues,
            self._square_norm,
            self.precision,
            self.noise_scale,
        )


def _check_trained(moments):
    if moments.log_likelihood < moments.constant:
        raise ValueError(
            "laplace expects a trained network: one that predicts the "
            "training data better than the best constant does. This one's "
            f"log-likelihood, {moments.log_likelihood:.6g} nats, is below the "
            f"constant's, {moments.constant:.6g}."
        )


def _warn_of_a_slope(state):
    _, gain = state.step()
    # Draws of the posterior lie half a nat for each weight below its mode.
    typical = 0.5 * state.weights.size
    if gain > typical:
        warnings.warn(
            "The trained weights are no mode: the posterior would be about "
            f"{gain:.3g} nats higher elsewhere, and its draws are "
            f"{typical:.3g} below the mode. Train longer, or take "
            'laplace(mean="mode").',
            stacklevel=4,
        )


def _mode(state, moments_at, fixed):
    """Goes to the mode by Newton's method, prior and noise with it."""
    for _ in range(_MOST_STEPS):
        step, gain = state.step()
        if gain < _SMALLEST_GAIN * state.weights.size:
            return state
        new = _moved(state, step, moments_at, fixed)
        if new is None:
            # As near as rounding allows.
            return state
        state = new
    warnings.warn(
        f"laplace has not found the mode after {_MOST_STEPS} steps; the last "
        f"would have helped by {gain:.3g} nats.",
        stacklevel=4,
    )
    return state


def _moved(state, step, moments_at, fixed):
    """Returns the state after as much of a step as helps, or None."""
    before = state.log_joint(state.moments, state.weights)
    for halving in range(_MOST_HALVINGS):
        weights = state.weights + 0.5**halving * step
        moments = moments_at(weights)
        if moments.num_examples != state.moments.num_examples:
            raise ValueError(
                'laplace(mean="mode") goes through the data several times: '
                f"expected {state.moments.num_examples} examples each time; "
                f"got {moments.num_examples}."
            )
        if state.log_joint(moments, weights) > before:
            return _State(moments, weights, *fixed)
    return None

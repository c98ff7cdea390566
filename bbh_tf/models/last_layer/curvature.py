"""The log-likelihood of a linear layer's weights: value, slope, curvature.

A last layer makes outputs `f = W^T x` of features x, so that the generalised
Gauss-Newton matrix of the log-likelihood in W is its Hessian,

    H = sum over examples of (x x^T) (x) Lambda(f),

with Lambda the negative Hessian of log p(y | f) in f. All three likelihoods
here are of the exponential family, with f its natural parameter: the slope in
f is the label less its mean, and Lambda the label's covariance.
"""

import dataclasses
import math

import numpy as np

from bbh_tf import checks


class _Softmax:
    """Classes: labels are numbers, or probabilities `(batch, C)`."""

    has_covariance = True

    @staticmethod
    def targets(labels, num_units):
        if labels.ndim == 2 and labels.shape[1] == num_units:
            targets = np.asarray(labels, np.float64)
            off = np.abs(targets.sum(axis=1) - 1)
            _check(off <= checks.ROW_SUM_TOLERANCE, "sum to 1", targets)
            _check(targets.min(axis=1) >= 0, "are at least 0", targets)
            return targets
        classes = labels.reshape(-1)
        known = np.isin(classes, np.arange(num_units))
        _check(known, f"are classes from 0 to {num_units - 1}", classes)
        return np.eye(num_units)[classes.astype(int)]

    @staticmethod
    def log_prob(outputs, targets):
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return (targets * logs).sum(axis=1)

    @staticmethod
    def mean(outputs):
        weights = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)

    @staticmethod
    def variance(mean):
        return mean * (1.0 - mean)

    @staticmethod
    def constant(count, sums, squares):
        return _sum_of_logs(sums, sums / count)


class _Sigmoid(_Softmax):
    """Labels 0 or 1, one for each output."""

    has_covariance = False

    @staticmethod
    def targets(labels, num_units):
        targets = np.asarray(labels, np.float64).reshape(-1, num_units)
        _check((targets >= 0) & (targets <= 1), "are 0, 1 or between", targets)
        return targets

    @staticmethod
    def log_prob(outputs, targets):
        return (targets * outputs - np.logaddexp(0.0, outputs)).sum(axis=1)

    @staticmethod
    def mean(outputs):
        return 0.5 * (1.0 + np.tanh(0.5 * outputs))

    @staticmethod
    def constant(count, sums, squares):
        ones = sums / count
        return _sum_of_logs(sums, ones) + _sum_of_logs(count - sums, 1 - ones)


class _Gaussian(_Sigmoid):
    """Numbers, of standard deviation 1 around the outputs.

    The log-likelihood is without its constant, so that it can be brought to
    another standard deviation; see `Moments.log_likelihood_at`.
    """

    @staticmethod
    def targets(labels, num_units):
        targets = np.asarray(labels, np.float64).reshape(-1, num_units)
        _check(np.isfinite(targets), "are finite", targets)
        return targets

    @staticmethod
    def log_prob(outputs, targets):
        return -0.5 * np.square(targets - outputs).sum(axis=1)

    @staticmethod
    def mean(outputs):
        return outputs

    @staticmethod
    def variance(mean):
        return np.ones_like(mean)

    @staticmethod
    def constant(count, sums, squares):
        return -0.5 * float((squares - np.square(sums) / count).sum())


SOFTMAX, SIGMOID, GAUSSIAN = _Softmax, _Sigmoid, _Gaussian


def _check(is_fine, expected, labels):
    if not np.all(is_fine):
        (first, *_) = labels[~is_fine]
        raise ValueError(
            f"laplace expects labels that {expected}; got {first}."
        )


def _sum_of_logs(counts, probabilities):
    """Returns the sum of counts times logs, with 0 log 0 = 0."""
    logs = np.log(np.where(counts > 0, probabilities, 1.0))
    return float((counts * logs).sum())


@dataclasses.dataclass(frozen=True)
class Moments:
    """What a data set says of a last layer's weights, at some weights.

    Attributes:
        num_examples: number of examples, as they were counted.
        num_labels: sum over examples and outputs of the examples' weights.
        log_likelihood: nats of the whole data set.
        constant: the same of the best prediction that is the same for all.
        gradient: of the log-likelihood, `(D,)`.
        hessian: minus its Hessian, `(D, D)`; or its diagonal, `(D,)`.
        is_gaussian: whether these are for noise of standard deviation 1,
            and the log-likelihoods without their constant.
    """

    num_examples: int
    num_labels: float
    log_likelihood: float
    constant: float
    gradient: np.ndarray
    hessian: np.ndarray
    is_gaussian: bool

    def log_likelihood_at(self, noise_scale):
        """Returns the log-likelihood, nats, for noise of some scale."""
        if not self.is_gaussian:
            return self.log_likelihood
        variance = noise_scale**2
        return self.log_likelihood / variance - 0.5 * self.num_labels * (
            math.log(2 * math.pi * variance)
        )


def moments(data, kind, weights, is_full):
    """Goes through the data once.

    Args:
        data: iterable of `(features, targets, example_weights)`: arrays
            `(batch, inputs)`, `(batch, C)` and `(batch,)`.
        kind: `SOFTMAX`, `SIGMOID` or `GAUSSIAN`.
        weights: array `(inputs, C)`.
        is_full: whether the whole Hessian is wanted, or its diagonal.

    Returns:
        `Moments`.

    Raises:
        ValueError: if outputs are not finite, or no example counts.
    """
    inputs, units = weights.shape
    size = inputs * units
    shape = (inputs, units, inputs, units) if is_full else (inputs, units)
    hessian = np.zeros(shape)
    gradient = np.zeros((inputs, units))
    sums, squares = np.zeros(units), np.zeros(units)
    log_likelihood = count = 0.0
    num_examples = 0
    for features, targets, factors in data:
        outputs = features @ weights
        if not np.isfinite(outputs).all():
            raise ValueError(
                "laplace expects a trained network, with finite outputs; got "
                "some that are not."
            )
        mean = kind.mean(outputs)
        log_likelihood += factors @ kind.log_prob(outputs, targets)
        gradient += features.T @ (factors[:, None] * (targets - mean))
        variance = factors[:, None] * kind.variance(mean)
        if is_full:
            _add_hessian(hessian, features, mean, variance, factors, kind)
        else:
            hessian += np.square(features).T @ variance
        sums += factors @ targets
        squares += factors @ np.square(targets)
        count += factors.sum()
        num_examples += len(features)
    if not count:
        raise ValueError(
            f"laplace expects weights that are not all 0; got {num_examples} "
            "examples, none of which counts."
        )
    return Moments(
        num_examples=num_examples,
        num_labels=count * units,
        log_likelihood=float(log_likelihood),
        constant=kind.constant(count, sums, squares),
        gradient=gradient.reshape(-1),
        hessian=hessian.reshape((size, size) if is_full else (size,)),
        is_gaussian=kind is GAUSSIAN,
    )


def _add_hessian(hessian, features, mean, variance, factors, kind):
    if not kind.has_covariance:
        for unit in range(mean.shape[1]):
            hessian[:, unit, :, unit] += (
                features * variance[:, unit : unit + 1]
            ).T @ features
        return
    # diag(p) - p p^T: the first part unit by unit, the second at once.
    for unit in range(mean.shape[1]):
        by_unit = features * (factors * mean[:, unit])[:, None]
        hessian[:, unit, :, unit] += by_unit.T @ features
    joint = features[:, :, None] * mean[:, None, :]
    joint = joint.reshape(len(features), -1)
    outer = (joint * factors[:, None]).T @ joint
    hessian -= outer.reshape(hessian.shape)

"""The nearest-neighbour KL written down plainly, in double precision."""

import numpy as np

DELTA = 1e-8


def squared_distances(points, candidates):
    """Returns `(candidates, points, weights)`."""
    return (points[None] - candidates[:, None]) ** 2


def by_weight(posterior, prior, released_code=False):
    """The per-weight form: an estimate for each weight, `(weights,)`."""
    q, p = (np.asarray(x, np.float64) for x in (posterior, prior))
    n, m = len(q), len(p)
    to_prior = squared_distances(q, p)
    to_posterior = squared_distances(q, q)
    to_posterior[range(n), range(n)] = np.inf
    return _formula(to_prior, to_posterior, n, m, released_code)


def of_all(posterior, prior, released_code=False):
    """The full form: one estimate for all weights."""
    q, p = (np.asarray(x, np.float64) for x in (posterior, prior))
    (n, num_weights), m = q.shape, len(p)
    to_prior = squared_distances(q, p).sum(2)
    to_posterior = squared_distances(q, q).sum(2)
    to_posterior[range(n), range(n)] = np.inf
    if released_code:
        return num_weights * _formula(to_prior, to_posterior, n, m, True)
    constant = np.log(m / (n - 1))
    estimate = _formula(to_prior, to_posterior, n, m, False) - constant
    return num_weights * estimate + constant


def _formula(to_prior, to_posterior, n, m, released_code):
    if released_code:
        above = np.sqrt(to_prior + DELTA).min(0)
        below = np.sqrt(to_posterior + DELTA).min(0)
        terms = np.log(above / (below + DELTA) + DELTA)
        return terms.mean(0) + np.log(n / (n - 1))
    terms = 0.5 * np.log(to_prior.min(0) / to_posterior.min(0))
    return terms.mean(0) + np.log(m / (n - 1))

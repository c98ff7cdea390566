"""The nearest-neighbour KL written down plainly, in double precision."""

import numpy as np

DELTA = 1e-8


def squared_distances(points, candidates):
    """Returns `(candidates, points, weights)`."""
    return (points[None] - candidates[:, None]) ** 2


def by_weight(posterior, prior, released_code=False, k=1):
    """The per-weight form: an estimate for each weight, `(weights,)`."""
    q, p = (np.asarray(x, np.float64) for x in (posterior, prior))
    n, m = len(q), len(p)
    to_prior = squared_distances(q, p)
    to_posterior = squared_distances(q, q)
    to_posterior[range(n), range(n)] = np.inf
    return _formula(to_prior, to_posterior, n, m, released_code, k)


def of_all(posterior, prior, released_code=False, k=1):
    """The full form: one estimate for all weights."""
    q, p = (np.asarray(x, np.float64) for x in (posterior, prior))
    (n, num_weights), m = q.shape, len(p)
    to_prior = squared_distances(q, p).sum(2)
    to_posterior = squared_distances(q, q).sum(2)
    to_posterior[range(n), range(n)] = np.inf
    if released_code:
        return num_weights * _formula(to_prior, to_posterior, n, m, True, k)
    constant = np.log(m / (n - 1))
    estimate = _formula(to_prior, to_posterior, n, m, False, k) - constant
    return num_weights * estimate + constant


def _formula(to_prior, to_posterior, n, m, released_code, k):
    to_prior, to_posterior = (
        np.sort(x, axis=0)[k - 1] for x in (to_prior, to_posterior)
    )
    if released_code:
        above = np.sqrt(to_prior + DELTA)
        below = np.sqrt(to_posterior + DELTA)
        terms = np.log(above / (below + DELTA) + DELTA)
        return terms.mean(0) + np.log(n / (n - 1))
    terms = 0.5 * np.log(to_prior / to_posterior)
    return terms.mean(0) + np.log(m / (n - 1))

"""The objective on a posterior whose KL is known: a linear generator."""

import numpy as np

from experiments import lazy

bbh = lazy.import_module("bbh_tf")
tf = lazy.import_module("tensorflow")

_NEIGHBOURS = 3


def generator(num_weights, noise_dim, seed):
    """Makes a linear generator whose weights are N(0, 1), each by itself.

    Returns:
        Array `(num_weights, noise_dim)` with rows of length 1: w = A z.
    """
    rows = np.random.default_rng(seed).normal(size=(num_weights, noise_dim))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def closed_forms(matrix, sigma):
    """Evaluates the KL of q = N(0, A A^T + sigma^2 I) from N(0, I).

    Args:
        matrix: A, `(num_weights, noise_dim)`.
        sigma: standard deviation of the noise on each weight, positive.

    Returns:
        Dictionary of floats, nats: `"kl"`; `"marginals"`, the sum of the KLs of
        single weights; `"total_correlation"`, what the first has more;
        `"conditional"`, E_z KL(N(A z, sigma^2 I) || N(0, I)); `"information"`,
        I(w; z), what the first has less than that.
    """
    num_weights, noise_dim = matrix.shape
    variances = np.sum(matrix**2, axis=1) + sigma**2
    # A^T A has the same eigenvalues as A A^T, but for zeros.
    spread = np.linalg.eigvalsh(matrix.T @ matrix)
    information = 0.5 * np.sum(np.log1p(spread / sigma**2))
    log_det = 2 * information + 2 * num_weights * np.log(sigma)
    kl = 0.5 * (np.sum(variances) - num_weights - log_det)
    marginals = 0.5 * np.sum(variances - 1 - np.log(variances))
    return {
        "kl": float(kl),
        "marginals": float(marginals),
        "total_correlation": float(kl - marginals),
        "conditional": float(kl + information),
        "information": float(information),
    }


def estimate(matrix, sigma, num_samples, num_repeats, seed):
    """Estimates the KL as training does, by the third neighbour.

    Args:
        matrix: see `closed_forms`.
        sigma: likewise; 0 is allowed, as the estimate is finite there.
        num_samples: samples of q in an estimate.
        num_repeats: estimates.
        seed: of the samples.

    Returns:
        `(mean, standard error)`, nats.
    """
    random = np.random.default_rng(seed)
    (prior,) = bbh.priors.Normal().distributions([None])
    divergence = bbh.divergences.NearestNeighbourEntropy(_NEIGHBOURS)
    found = tf.function(lambda w: divergence(w, prior), autograph=False)
    values = []
    for _ in range(num_repeats):
        noise = random.normal(size=(num_samples, matrix.shape[1]))
        jitter = random.normal(size=(num_samples, matrix.shape[0]))
        w = noise @ matrix.T + sigma * jitter
        values.append(float(found(tf.constant(w, tf.float32))))
    return float(np.mean(values)), float(
        np.std(values, ddof=1) / np.sqrt(num_repeats)
    )

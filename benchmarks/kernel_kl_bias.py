"""How biased the nearest-neighbour KL is for normal posteriors.

Prints the table of `docs/kernel_kl.md`.
"""

import math

import numpy as np
from absl import app
from absl import flags

import bbh_tf as bbh

_NUM_SAMPLES = flags.DEFINE_integer(
    "num_samples", 5, "Posterior and prior samples, n = m."
)
_NUM_PRIOR_SAMPLES = flags.DEFINE_integer(
    "num_prior_samples", None, "Prior samples m, where they differ."
)
_BLOCKS = flags.DEFINE_integer("blocks", 20, "Blocks of 200,000 weights.")
_WEIGHTS_A_BLOCK = 200_000
_STDS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)


def truth(std):
    """KL(N(0, std^2) || N(0, 1)) in nats."""
    return 0.5 * (std**2 - 1) - math.log(std)


def measure(std, n, m, blocks):
    """Estimates many weights, all alike.

    Returns:
        Mean of the estimate of one weight, and the mean's standard error.
    """
    estimate = bbh.divergences.KernelKL()
    means = []
    for block in range(blocks):
        # Draws of their own for each row.
        generator = np.random.default_rng([block, n, m, round(100 * std)])
        q = std * generator.standard_normal((n, _WEIGHTS_A_BLOCK))
        p = generator.standard_normal((m, _WEIGHTS_A_BLOCK))
        means.append(float(estimate(q, p)) / _WEIGHTS_A_BLOCK)
    return np.mean(means), np.std(means, ddof=1) / math.sqrt(blocks)


def main(_):
    """Prints the table."""
    n = _NUM_SAMPLES.value
    m = _NUM_PRIOR_SAMPLES.value or n
    print(f"n = {n}, m = {m}, {_BLOCKS.value * _WEIGHTS_A_BLOCK:,} weights")
    print("| std of q | mean estimate | standard error | truth |")
    print("|---|---|---|---|")
    for std in _STDS:
        mean, error = measure(std, n, m, _BLOCKS.value)
        print(f"| {std} | {mean:.4f} | {error:.4f} | {truth(std):.4f} |")


if __name__ == "__main__":
    app.run(main)

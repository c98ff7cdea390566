"""How far estimates of the KL are off for normal posteriors, and how noisy.

Prints the tables of `docs/divergences.md`.
"""

import dataclasses
import functools
import math
import sys

import keras
import numpy as np
import tensorflow as tf
from absl import app
from absl import flags

import bbh_tf as bbh
from benchmarks import flag_lists

_NUM_SAMPLES = flags.DEFINE_integer("num_samples", 5, "Posterior samples n.")
_NUM_PRIOR_SAMPLES = flags.DEFINE_integer(
    "num_prior_samples", None, "Prior samples m, where they differ."
)
_MEANS = flag_lists.numbers(
    "means", ["0", "1"], "Means of q, one a table.", float
)
_STDS = flag_lists.numbers(
    "stds",
    ["0.01", "0.1", "0.5", "1", "2", "5"],
    "Standard deviations of q.",
    float,
    1e-6,
)
_ONLY = flags.DEFINE_string("only", "", "Part of the names of the estimates.")
_SPREAD = flags.DEFINE_boolean(
    "spread", True, "Whether to add the posteriors that fill the prior."
)
_DISCRIMINATORS = flags.DEFINE_integer(
    "discriminators",
    3,
    "Discriminators trained for each entry.",
    lower_bound=2,
)
_STEPS = flags.DEFINE_integer(
    "steps",
    2_000,
    "Steps of a discriminator, before 500 with a tenth the rate.",
)
_DISCRIMINATOR_WEIGHTS = 200


@dataclasses.dataclass(frozen=True)
class Case:
    """Posteriors N(mean + spread * z, std^2) with z ~ N(0, 1) for each weight.

    Attributes:
        mean: mean of the means.
        std: standard deviation of each posterior.
        spread: standard deviation of the means.
    """

    mean: float
    std: float
    spread: float = 0.0

    @property
    def truth(self):
        """Mean of KL(q || N(0, 1)) over the weights, nats."""
        second_moment = self.std**2 + self.mean**2 + self.spread**2
        return 0.5 * (second_moment - 1) - math.log(self.std)

    def draw(self, n, m, num_weights, seed):
        """Draws samples of q, `(n, num_weights)`, and p, `(m, ...)`."""
        generator = np.random.default_rng(
            [round(100 * x) % 2**32 for x in dataclasses.astuple(self)]
            + list(seed)
        )
        normal = functools.partial(generator.standard_normal, dtype=np.float32)
        means = self.mean + self.spread * normal(num_weights)
        q = means + self.std * normal((n, num_weights))
        return q, normal((m, num_weights))


@dataclasses.dataclass(frozen=True)
class Result:
    """Nats per weight.

    Attributes:
        bias: mean of the estimate, less the truth.
        error: standard error of the bias.
        deviation: standard deviation of the estimate.
    """

    bias: float
    error: float
    deviation: float


def measure(estimate, case, n, m, num_weights, blocks, together=False):
    """Measures an estimate that needs no training.

    Args:
        estimate: function of the samples of q and p.
        case: a `Case`.
        n: number of samples of q.
        m: number of samples of p.
        num_weights: weights in each call of the estimate.
        blocks: number of calls.
        together: whether the weights of a call are one point, so that the
            deviation is that of a call; else that of a weight.

    Returns:
        A `Result`.
    """
    values = [
        float(estimate(*case.draw(n, m, num_weights, (n, m, block))))
        / num_weights
        for block in range(blocks)
    ]
    deviation = np.std(values, ddof=1)
    return Result(
        np.mean(values) - case.truth,
        deviation / math.sqrt(blocks),
        deviation * (1 if together else math.sqrt(num_weights)),
    )


def train_discriminator(case, n, m, seed, num_steps):
    """Trains an `AdversarialKL` on posteriors that stand still.

    Args:
        case: a `Case`; every step sees new weights of it.
        n: samples of q of a weight.
        m: samples of p of a weight.
        seed: an integer.
        num_steps: steps at a learning rate of 1e-3; 500 at 1e-4 follow.

    Returns:
        The `AdversarialKL`.
    """
    keras.utils.set_random_seed(seed)
    shape = (_DISCRIMINATOR_WEIGHTS,)

    def estimate_of(estimate, key):
        z, q, p = (
            bbh.randomness.normal(bbh.randomness.fold(key, word), count, shape)
            for word, count in enumerate((1, n, m))
        )
        return estimate(case.mean + case.spread * z + case.std * q, p)

    state = None
    stages = (num_steps, 1e-3), (500, 1e-4)
    for stage, (steps, rate) in enumerate(stages):
        kl = bbh.divergences.AdversarialKL(
            num_pretraining_steps=0, num_steps=steps, learning_rate=rate
        )
        kl.build()
        if state is not None:
            kl.discriminator.set_weights(state)
        tf.function(
            lambda key, kl=kl: kl.fit_step(estimate_of, key).parameters,
            autograph=False,
            jit_compile=True,
        )(bbh.randomness.key(seed, stage))
        state = kl.discriminator.get_weights()
    return kl


def measure_adversarial(case, n, m, discriminators, num_steps):
    """Measures `AdversarialKL` with several trained discriminators."""
    results = []
    for seed in range(discriminators):
        kl = train_discriminator(case, n, m, seed, num_steps)
        results.append(measure(kl, case, n, m, 5_000, 20))
    biases = [result.bias for result in results]
    # What one discriminator gets wrong it gets wrong for all samples.
    error = np.std(biases, ddof=1) / math.sqrt(len(biases))
    deviation = np.mean([result.deviation for result in results])
    return Result(np.mean(biases), error, deviation)


def _nearest_neighbour_entropy(q, _):
    (normal,) = bbh.priors.Normal().distributions([None])
    return bbh.divergences.NearestNeighbourEntropy(1)(q, normal)


def estimates(n, m, discriminators, num_steps):
    """Returns functions from a `Case` to a `Result`, by name."""
    named = {
        "`KernelKL()`": lambda case: measure(
            bbh.divergences.KernelKL(), case, n, m, 20_000, 200
        )
    }
    full = bbh.divergences.KernelKL(per_weight=False)
    for dimension, blocks in ((10, 2_000), (520, 1_000), (431_080, 10)):
        named[f"`KernelKL(per_weight=False)`, d = {dimension:,}"] = (
            lambda case, d=dimension, blocks=blocks: measure(
                full, case, n, m, d, blocks, together=True
            )
        )
    named["`NearestNeighbourEntropy(1)`"] = lambda case: measure(
        _nearest_neighbour_entropy, case, n, m, 20_000, 200
    )
    trained = f"`AdversarialKL()`, {num_steps + 500:,} steps"
    named[trained] = lambda case: measure_adversarial(
        case, n, m, discriminators, num_steps
    )
    return named


def print_table(title, cases, named):
    """Prints a row for each estimate and a column for each case."""
    print(f"\n{title}\n")
    print("| s |", " | ".join(f"{case.std:g}" for case in cases), "|")
    print("|---" * (len(cases) + 1) + "|")
    print("| truth |", " | ".join(f"{case.truth:.4f}" for case in cases), "|")
    for name, measured in named.items():
        print(f"| {name} |", end="", flush=True)
        for case in cases:
            x = measured(case)
            entry = f"{x.bias:+.4f} ± {x.error:.4f} ({x.deviation:.2g})"
            print(f" {entry} |", end="", flush=True)
        print()


def main(_):
    """Prints the tables."""
    n = _NUM_SAMPLES.value
    m = _NUM_PRIOR_SAMPLES.value or n
    named = {
        name: measured
        for name, measured in estimates(
            n, m, _DISCRIMINATORS.value, _STEPS.value
        ).items()
        if _ONLY.value in name
    }
    if not named:
        sys.exit(f"--only: expected part of a name; got {_ONLY.value!r}.")
    print(f"n = {n}, m = {m}: bias ± its standard error (deviation)")
    for mean in _MEANS.value:
        cases = [Case(float(mean), float(std)) for std in _STDS.value]
        print_table(f"q = N({mean}, s²):", cases, named)
    if _SPREAD.value:
        cases = [
            Case(0.0, std, math.sqrt(1 - std**2)) for std in (0.01, 0.1, 0.5)
        ]
        print_table("q = N(μ, s²), μ drawn from N(0, 1 - s²):", cases, named)


if __name__ == "__main__":
    app.run(main)

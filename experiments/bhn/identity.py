"""y = a b x: a posterior of two modes, exactly and by flows."""

import dataclasses
import math

import keras
import numpy as np
import tensorflow as tf

import bbh_tf as bbh
from experiments.errors import diverged

FLOWS = {
    "none": "no coupling",
    "real_nvp": "RealNVP",
    "iaf": "IAF",
}
MODES = (1, -1)
# Of the orders of elements in a flow, the same in all runs.
_STRUCTURE_SEED = 1234
_LIMIT = 2.5
_GRID = 401
# A draw is at a mode where the exact posterior's densest parts of this
# probability are, on the mode's side of a = 0.
_REGION = 0.95
_BOTH = 0.1


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of the comparison.

    Attributes:
        num_points: points of data, x ~ U(-1, 1).
        precision: of the normal prior on a and b; 20 in the authors' code.
        num_layers: couplings, or autoregressive flows; 6 in the code.
        units: width of their hidden layers; 100 in the code.
        num_steps: training steps on all points; 20,000 in the code.
        num_samples: draws a step; 1 in the code.
        learning_rate: Adam's, falling to 0; 0.00025 in the code.
        initial_std: standard deviation of q at first, around a = b = 0.
        num_draws: draws that are measured.
    """

    num_points: int = 100
    precision: float = 20.0
    num_layers: int = 6
    units: int = 100
    num_steps: int = 3000
    num_samples: int = 64
    learning_rate: float = 0.001
    initial_std: float = 0.7
    num_draws: int = 5000


class Problem:
    """Data of one noise level, and the exact posterior of a and b.

    Args:
        settings: a `Settings`.
        noise_std: standard deviation of the labels, known.
    """

    def __init__(self, settings, noise_std):
        generator = np.random.default_rng(0)
        x = generator.uniform(-1, 1, settings.num_points)
        y = x + noise_std * generator.normal(size=settings.num_points)
        self.precision = settings.precision
        # All that the likelihood needs of the data.
        self.slope = float(np.sum(x * y) / np.sum(x * x))
        self.sharpness = float(np.sum(x * x) / noise_std**2)
        self.axis = np.linspace(-_LIMIT, _LIMIT, _GRID)
        a, b = np.meshgrid(self.axis, self.axis, indexing="ij")
        self.logs = self.log_density(a, b)
        cell = (self.axis[1] - self.axis[0]) ** 2
        top = self.logs.max()
        self.log_evidence = top + math.log(
            cell * np.sum(np.exp(self.logs - top))
        )
        self.density = np.exp(self.logs - self.log_evidence)
        ordered = np.sort(self.density.ravel())[::-1]
        inside = np.searchsorted(np.cumsum(ordered) * cell, _REGION)
        self.threshold = math.log(ordered[inside]) + self.log_evidence

    def log_density(self, a, b):
        """Returns log p(y | a, b) + log p(a, b), up to the same constant."""
        return -0.5 * self.sharpness * (a * b - self.slope) ** 2 - (
            0.5 * self.precision * (a**2 + b**2)
        )

    def shares(self, draws):
        """Returns the share of draws at a = b > 0, and at a = b < 0.

        Args:
            draws: `(num_draws, 2)`.
        """
        a, b = draws.astype(np.float64).T
        dense = self.log_density(a, b) >= self.threshold
        return [
            float(np.mean(dense & (sign * a > 0) & (sign * b > 0)))
            for sign in MODES
        ]

    def barrier(self):
        """Returns how far the density falls between the modes, in nats."""
        return float(self.logs.max() - self.log_density(0.0, 0.0))


class Trainer:
    """Fits a flow to the posterior, again and again, in one program.

    Args:
        settings: a `Settings`.
        flow: one of `FLOWS`.
    """

    def __init__(self, settings, flow):
        self._settings = settings
        self._recipe = _recipe(settings, flow)
        self._flow = self._fresh()
        schedule = keras.optimizers.schedules.CosineDecay(
            settings.learning_rate, settings.num_steps
        )
        self._optimizer = keras.optimizers.Adam(schedule, global_clipnorm=10.0)
        self._optimizer.build(self._flow.trainable_variables)
        self._train = tf.function(self._loop, jit_compile=True, autograph=False)

    def run(self, problem, seed):
        """Trains once.

        Args:
            problem: a `Problem`.
            seed: an integer.

        Returns:
            `(draws, log_prob)`: arrays `(num_draws, 2)` and `(num_draws,)`.

        Raises:
            ExperimentError: if a draw's density is not finite.
        """
        keras.utils.set_random_seed(seed)
        self._flow.set_weights(self._fresh().get_weights())
        for variable in self._optimizer.variables:
            if variable is not self._optimizer.learning_rate:
                variable.assign(tf.zeros_like(variable))
        self._train(
            *(
                tf.constant(value, tf.float32)
                for value in (problem.slope, problem.sharpness)
            ),
            tf.constant(seed),
        )
        draws, log_prob = self._sample(
            self._settings.num_draws, bbh.randomness.key(seed, -1)
        )
        if not np.isfinite(log_prob).all():
            raise diverged("draws of finite density", f"seed {seed}")
        return np.array(draws), np.array(log_prob)

    def _fresh(self):
        flow = bbh.flows.get(self._recipe)
        flow.build(2)
        return flow

    def _sample(self, num_samples, key):
        """Draws a and b, `(num_samples, 2)`, and their log-density."""
        noise = bbh.randomness.normal(key, num_samples, (2,))
        draws, log_det = self._flow(noise)
        log_noise = -0.5 * tf.reduce_sum(noise**2, axis=1)
        return draws, log_noise - math.log(2 * math.pi) - log_det

    def _loop(self, slope, sharpness, seed):
        variables = self._flow.trainable_variables

        def step(index):
            with tf.GradientTape() as tape:
                draws, log_prob = self._sample(
                    self._settings.num_samples, bbh.randomness.key(seed, index)
                )
                a, b = tf.unstack(draws, axis=1)
                log_joint = -0.5 * (
                    sharpness * (a * b - slope) ** 2
                    + self._settings.precision * (a**2 + b**2)
                )
                loss = tf.reduce_mean(log_prob - log_joint)
            gradients = tape.gradient(loss, variables)
            self._optimizer.apply(gradients, variables)
            return [index + 1]

        return tf.while_loop(
            lambda index: index < self._settings.num_steps, step, [0]
        )


def _recipe(settings, flow):
    log_scale = math.log(settings.initial_std)
    if flow == "iaf":
        return bbh.flows.inverse_autoregressive(
            settings.num_layers,
            (settings.units,),
            log_scale,
            seed=_STRUCTURE_SEED,
        )
    return bbh.flows.real_nvp(
        settings.num_layers if flow == "real_nvp" else 0,
        (settings.units,),
        "reversed",
        log_scale,
    )


def compare(settings, noise_stds, seeds):
    """Fits every flow at every noise level under every seed.

    Args:
        settings: a `Settings`.
        noise_stds: list of standard deviations.
        seeds: list of integers.

    Returns:
        `(results, draws)`: a list of dictionaries of numbers, one for each
        noise level and flow, and a dictionary from `(noise_std, flow)` to
        the draws `(num_draws, 2)` of the first seed.
    """
    problems = {noise: Problem(settings, noise) for noise in noise_stds}
    results, kept = [], {}
    for flow in FLOWS:
        trainer = Trainer(settings, flow)
        for noise, problem in problems.items():
            shares, kls = [], []
            for seed in seeds:
                draws, log_prob = trainer.run(problem, seed)
                kept.setdefault((noise, flow), draws)
                shares.append(problem.shares(draws))
                a, b = draws.astype(np.float64).T
                log_exact = problem.log_density(a, b) - problem.log_evidence
                kls.append(float(np.mean(log_prob - log_exact)))
            results.append(
                {
                    "flow": flow,
                    "noise_std": noise,
                    "barrier": problem.barrier(),
                    "shares": shares,
                    "kl": kls,
                    "both": sum(min(pair) > _BOTH for pair in shares),
                }
            )
    return results, kept

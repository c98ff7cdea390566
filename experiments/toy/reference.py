"""The posterior itself, sampled by Hamiltonian Monte Carlo.

The No-U-Turn Sampler of `tfp.mcmc` runs on the weights of the network that all
methods share: one hidden layer of ReLU units, N(0, 1) on each kernel entry and
bias, a normal likelihood of known standard deviation.
"""

import dataclasses

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

# 2^8 - 1 leapfrog steps are four times what this posterior takes.
_MAX_TREE_DEPTH = 8
_TARGET_ACCEPTANCE = 0.8
_FIRST_STEP_SIZE = 0.1


@dataclasses.dataclass(frozen=True)
class Reference:
    """Functions drawn from the posterior, and how well the chains ran.

    Attributes:
        draws: the network's outputs, `(num_draws, num_chains, num_points)`.
        acceptance: mean acceptance probability.
        divergences: how many steps left the region of finite energy.
        leapfrog_steps: mean number of gradients a draw.
        r_hat: largest potential scale reduction over the points; 1 where all
            chains agree.
        mean_error: standard error of the mean, root mean square over the
            points, from the spread between chains.
        std_error: standard error of the standard deviation, likewise.
    """

    draws: np.ndarray
    acceptance: float
    divergences: int
    leapfrog_steps: float
    r_hat: float
    mean_error: float
    std_error: float

    def diagnostics(self):
        """Returns all but the draws, as a dictionary."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "draws"
        }


def outputs(weights, x, units):
    """Runs networks with one hidden layer.

    Args:
        weights: `(num_networks, 3 * units + 1)`: kernel and biases of the
            hidden layer, kernel and bias of the output.
        x: inputs, `(num_points,)`.
        units: number of hidden units.

    Returns:
        `(num_networks, num_points)`.
    """
    kernel, bias, out_kernel, out_bias = tf.split(
        weights, [units, units, units, 1], axis=1
    )
    hidden = tf.nn.relu(x[:, None] * kernel[:, None] + bias[:, None])
    return tf.linalg.matvec(hidden, out_kernel) + out_bias


def log_posterior(weights, x, y, units, noise_std):
    """Evaluates log p(y | x, w) + log p(w), up to a constant.

    Args:
        weights: see `outputs`.
        x: inputs, `(num_points,)`.
        y: labels, `(num_points,)`.
        units: number of hidden units.
        noise_std: standard deviation of the likelihood.

    Returns:
        `(num_networks,)`, nats.
    """
    residuals = (y - outputs(weights, x, units)) / noise_std
    squares = tf.reduce_sum(residuals**2, 1) + tf.reduce_sum(weights**2, 1)
    return -0.5 * squares


def sample_chains(log_prob, start, num_draws, num_adaptation, seed):
    """Runs the No-U-Turn Sampler on several chains at once.

    Args:
        log_prob: function from states `(num_chains, size)` to `(num_chains,)`.
        start: first states, `(num_chains, size)`.
        num_draws: draws kept of each chain.
        num_adaptation: draws before them, in which the step size is chosen.
        seed: integer.

    Returns:
        `(states, trace)`: `(num_draws, num_chains, size)`, and a dictionary
        of `(num_draws, num_chains)`: acceptance probabilities, divergences
        and leapfrog steps.
    """
    kernel = tfp.mcmc.DualAveragingStepSizeAdaptation(
        tfp.mcmc.NoUTurnSampler(
            log_prob, _FIRST_STEP_SIZE, max_tree_depth=_MAX_TREE_DEPTH
        ),
        # The last fifth settles under the step size that is kept.
        num_adaptation_steps=int(0.8 * num_adaptation),
        target_accept_prob=_TARGET_ACCEPTANCE,
    )

    def trace(_, results):
        inner = results.inner_results
        return {
            "acceptance": tf.exp(tf.minimum(inner.log_accept_ratio, 0.0)),
            "divergences": inner.has_divergence,
            "leapfrog_steps": inner.leapfrogs_taken,
        }

    # A draw is some hundred small operations: one by one they take ten times
    # as long as compiling them all.
    @tf.function(autograph=False, jit_compile=True)
    def run(start, seed):
        return tfp.mcmc.sample_chain(
            num_draws,
            start,
            kernel=kernel,
            num_burnin_steps=num_adaptation,
            trace_fn=trace,
            seed=seed,
        )

    states, traced = run(start, tf.constant([seed, 1]))
    return states.numpy(), {k: v.numpy() for k, v in traced.items()}


def run(data, grid, units, noise_std, num_chains, num_draws, seed):
    """Samples the posterior of the network, from draws of the prior on.

    Args:
        data: `(x, y)`, arrays of shape `(num_points, 1)`.
        grid: inputs to predict at, `(num_grid, 1)`.
        units: number of hidden units.
        noise_std: standard deviation of the likelihood.
        num_chains: chains, at least 2, side by side.
        num_draws: draws of each, after as many in which it settles.
        seed: integer.

    Returns:
        A `Reference`, its draws at the grid's points.
    """
    x, y = (tf.constant(values[:, 0]) for values in data)
    start = tf.random.stateless_normal(
        (num_chains, 3 * units + 1), tf.constant([seed, 0])
    )
    states, trace = sample_chains(
        lambda weights: log_posterior(weights, x, y, units, noise_std),
        start,
        num_draws,
        num_draws,
        seed,
    )
    points = tf.constant(grid[:, 0])
    draws = np.stack([outputs(s, points, units).numpy() for s in states])
    chains = draws.astype(np.float64)
    return Reference(
        draws=draws,
        acceptance=float(np.mean(trace["acceptance"])),
        divergences=int(np.sum(trace["divergences"])),
        leapfrog_steps=float(np.mean(trace["leapfrog_steps"])),
        r_hat=float(np.max(tfp.mcmc.potential_scale_reduction(chains))),
        mean_error=error_between_chains(np.mean(chains, axis=0)),
        std_error=error_between_chains(np.std(chains, axis=0)),
    )


def error_between_chains(by_chain):
    """Returns the standard error of means over chains.

    Args:
        by_chain: a number for each chain and point, `(num_chains,
            num_points)`.

    Returns:
        The root mean square over the points.
    """
    variance = np.var(by_chain, axis=0, ddof=1) / len(by_chain)
    return float(np.sqrt(np.mean(variance)))

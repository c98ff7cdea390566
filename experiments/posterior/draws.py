"""Draws of all weights of a trained run, one after the other."""

import typing

import keras
import numpy as np

import bbh_tf as bbh

# As many weights of the first kernel as the authors' figures show.
_MOST_OF_KERNEL = 500
_SEED_OF_CHOICE = 0
_DRAWN = ("kernel", "bias")


class Draws(typing.NamedTuple):
    """What is kept of the draws.

    Attributes:
        kernel: `float32` array `(num_draws, kernel_weights)`, the first
            kernel, row-major, at most 500 weights of it.
        num_filters: length of the kernel's last axis, along which neighbours
            in `kernel` differ.
        chosen: `float32` array `(num_draws, chosen_weights)`, some of all
            weights, by chance.
        mean: `float64` array `(weights,)`, the mean of each weight over the
            draws, layer by layer.
        std: `float64` array `(weights,)`, its standard deviation.
    """

    kernel: np.ndarray
    num_filters: int
    chosen: np.ndarray
    mean: np.ndarray
    std: np.ndarray


def collect(model, num_draws, num_chosen):
    """Draws weights and keeps what the figures need.

    Args:
        model: a trained model of `experiments.methods`, whose weights are
            random.
        num_draws: number of draws; of an ensemble, all members are taken.
        num_chosen: how many weights are chosen by chance and kept; all, where
            there are no more.

    Returns:
        `Draws`.
    """
    kernel, chosen = [], []
    for count, weights in enumerate(_weights(model, num_draws), start=1):
        flat = np.concatenate([tensor.reshape(-1) for tensor in weights])
        if count == 1:
            mean, squares = np.zeros((2, len(flat)))
            places = np.sort(
                np.random.default_rng(_SEED_OF_CHOICE).choice(
                    len(flat), min(num_chosen, len(flat)), replace=False
                )
            )
        # Welford's sums: all draws together would take gigabytes.
        change = flat - mean
        mean += change / count
        squares += change * (flat - mean)
        kernel.append(weights[0].reshape(-1)[:_MOST_OF_KERNEL])
        chosen.append(flat[places])
    return Draws(
        np.array(kernel, np.float32),
        weights[0].shape[-1],
        np.array(chosen, np.float32),
        mean,
        np.sqrt(squares / max(1, count - 1)),
    )


def _weights(model, num_draws):
    """Yields a list of arrays for each draw, the first kernel first."""
    if isinstance(model, bbh.models.DeepEnsemble):
        for member in model.members:
            # Of normalisation, scales and offsets are random nowhere else.
            yield [
                np.asarray(variable)
                for variable in member.trainable_variables
                if variable.name in _DRAWN
            ]
        return
    # Statistics of normalisation are not looked at, and take a pass each.
    model.calibration_data = None
    for network in model.networks(num_draws):
        draw = keras.tree.flatten(network.keywords["weights"])
        yield [np.asarray(tensor)[0] for tensor in draw]

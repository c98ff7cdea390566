"""The KL of all random layers of a network, or of one layer."""

import keras
import tensorflow as tf

from bbh_tf import randomness
from bbh_tf.layers import own_types

# Sets the noise of layers' own KL apart from samples of priors.
_OWN_KL = -1


def pairs_of(layers, draws=None):
    """Returns what a divergence compares, for the layers that leave it to one.

    Args:
        layers: list of `RandomLayer`.
        draws: for each of them, its `LayerDraw`; None for pairs without.

    Returns:
        List of `bbh_tf.divergences.Pair`.
    """
    if draws is None:
        draws = [None] * len(layers)
    pairs = [layer.pair(draw) for layer, draw in zip(layers, draws)]
    return [pair for pair in pairs if pair is not None]


@own_types.own_types()
def divergence(layers, draws, estimate, num_prior_samples, key):
    """Computes KL(q || p) of all random layers together.

    Args:
        layers: list of `RandomLayer`.
        draws: for each of them, its `LayerDraw`.
        estimate: a `bbh_tf.divergences.Divergence`, for those that do not
            compute their KL by themselves.
        num_prior_samples: number of samples of the prior, where needed.
        key: a key of `bbh_tf.randomness`.

    Returns:
        Scalar `float32` tensor, nats.
    """
    total = tf.constant(0.0)
    own_key = randomness.fold(key, _OWN_KL)
    for position, layer in enumerate(layers):
        own = layer.kl(randomness.fold(own_key, position))
        if own is not None:
            total += own
    pairs = pairs_of(layers, draws)
    if pairs:
        kl = estimate.estimate(pairs, num_prior_samples, key)
        total += tf.cast(kl, tf.float32)
    return total


@own_types.own_types()
def fit_priors(layers, draws):
    """Lets priors learn from a training step's draws, before its KL.

    Args:
        layers: list of `RandomLayer`.
        draws: for each of them, its `LayerDraw`.
    """
    for pair in pairs_of(layers, draws):
        pair.prior.fit_step(pair.posterior, pair.draw.samples, pair.specs)


def add_losses(layer, losses):
    """Adds losses to those of a layer, for Keras to add up with its own.

    Args:
        layer: the Keras layer, or model, that is being called.
        losses: list of scalar tensors. They become float64 where Keras
            computes its losses in it, which it adds to no other type.
    """
    for loss in losses:
        dtype = keras.backend.result_type(loss.dtype, keras.config.floatx())
        layer.add_loss(tf.cast(loss, dtype))


def check_stateless(estimate):
    """Refuses a divergence that only a model can train.

    Raises:
        ValueError: if it has state.
    """
    if estimate.is_learned:
        raise ValueError(
            "With kl_weight, or inside another model, expected a divergence "
            "without state, such as KernelKL(); got "
            f"{type(estimate).__name__}, which BayesianModel.fit alone trains."
        )

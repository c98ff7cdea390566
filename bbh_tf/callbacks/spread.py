"""How wide the weights of each layer are, and how far from the prior."""

import numpy as np
import tensorflow as tf

from bbh_tf import divergences
from bbh_tf import randomness
from bbh_tf.layers import total_kl

# Sets the draws of a layer's prior apart from those of its weights.
_OF_PRIOR = 1


def of_layers(model, num_samples, key):
    """Measures the spread of weights, and the KL of each layer.

    Args:
        model: a `bbh_tf.models.BayesianModel`.
        num_samples: number of draws, at least 2.
        key: a key of `bbh_tf.randomness`.

    Returns:
        `(spreads, kls, least)`: dictionaries from the layers' names to floats:
        the spread, the KL, and the least KL that the moments of the draws
        allow. Layers that are random by themselves have no spread; they, and
        all under a divergence that learns, may have no KL; where the prior is
        not normal, there is no least.
    """
    spreads, kls, least = {}, {}, {}
    divergence = model.divergence
    # One layer after another: no more than one is held in memory.
    names = _names_of(model.random_layers)
    for position, layer in enumerate(model.random_layers):
        of_prior = randomness.fold(randomness.fold(key, _OF_PRIOR), position)
        if layer.pair() is not None:
            count = max(num_samples, model.num_samples)
            draw = layer.draw(count, key, position)
            few = draw.take(num_samples)
            spreads[names[position]] = _spread(few.weights)
            bound = _least_kl(layer.pair(few), num_samples)
            if bound is not None:
                least[names[position]] = bound
            if divergence.is_learned:
                continue
        elif layer.kl(of_prior) is None:
            continue
        else:
            draw = layer.training_draw(1, key, position)
        kls[names[position]] = float(
            total_kl.divergence(
                [layer],
                [draw.take(model.num_samples)],
                divergence,
                model.num_prior_samples,
                of_prior,
            )
        )
    return spreads, kls, least


def of_priors(model, num_samples, key):
    """Measures the same spread of draws of the priors.

    Args:
        model: a `bbh_tf.models.BayesianModel`.
        num_samples: number of draws, at least 2.
        key: a key of `bbh_tf.randomness`.

    Returns:
        Dictionary from the names of `Bayesian` layers to floats, without
        those whose prior has a density alone.
    """
    spreads = {}
    names = _names_of(model.random_layers)
    for position, layer in enumerate(model.random_layers):
        pair = layer.pair()
        if pair is None or not pair.prior.can_be_sampled():
            continue
        samples = pair.prior.sample(
            num_samples, pair.specs, randomness.fold(key, position)
        )
        # What is random may be no weights: scales of them, say.
        spreads[names[position]] = _spread(pair.posterior.weights_of(samples))
    return spreads


def _names_of(layers):
    """Returns names, with the position where two layers have the same."""
    names = [layer.name for layer in layers]
    return [
        f"{name}_{position}" if names.count(name) > 1 else name
        for position, name in enumerate(names)
    ]


def _least_kl(pair, num_samples):
    """Returns the least KL of a layer, nats, or None where none is known."""
    import tensorflow_probability as tfp

    priors = pair.prior.distributions(pair.specs) or [None]
    if not all(isinstance(p, tfp.distributions.Normal) for p in priors):
        return None
    return sum(
        divergences.least_kl(
            np.mean(samples, axis=0, dtype=np.float64),
            np.var(samples, axis=0, ddof=1, dtype=np.float64),
            num_samples,
            prior.loc,
            prior.scale,
        )
        for samples, prior in zip(map(np.array, pair.draw.samples), priors)
    )


def _spread(tensors):
    """Returns the mean over all weights of their std over the draws."""
    stds = [
        tf.reshape(tf.math.reduce_std(tensor, axis=0), (-1,))
        for tensor in tensors
    ]
    num_samples = tensors[0].shape[0]
    correction = (num_samples / (num_samples - 1)) ** 0.5
    return float(tf.reduce_mean(tf.concat(stds, axis=0)) * correction)

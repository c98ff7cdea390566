"""The KL of all random layers of a network, or of one layer."""

import json

import tensorflow as tf

from bbh_tf import posteriors
from bbh_tf import randomness
from bbh_tf.layers.stochastic import Stochastic

# Sets the noise of stochastic layers' KL apart from samples of priors.
_STOCHASTIC_KL = -1


def divergence(layers, samples, estimate, num_prior_samples, key):
    """Computes KL(q || p) of all random layers together.

    Args:
        layers: list of `Bayesian` and `Stochastic` layers.
        samples: their random variables, as `sample` returns them.
        estimate: a `bbh_tf.divergences.Divergence` for the Bayesian layers;
            the stochastic ones bring their own.
        num_prior_samples: number of samples of the prior, where needed.
        key: a key of `bbh_tf.randomness`.

    Returns:
        Scalar `float32` tensor, nats.
    """
    kl = tf.constant(0.0)
    own = randomness.fold(key, _STOCHASTIC_KL)
    for position, layer in enumerate(layers):
        if isinstance(layer, Stochastic):
            kl += layer.kl(randomness.fold(own, position))
    pairs = [
        pair
        for pair in zip(layers, samples)
        if not isinstance(pair[0], Stochastic)
    ]
    if not pairs:
        return kl
    layers, samples = zip(*pairs)
    if estimate.posterior_form == "distributions":
        posterior = [
            distribution
            for layer in layers
            for distribution in layer.posterior.distributions()
        ]
    else:
        posterior = [tensor for tensors in samples for tensor in tensors]
    if estimate.prior_form == "distributions":
        prior = _distributions(layers, samples)
    else:
        prior = _sample_priors(layers, samples, num_prior_samples, key)
    return kl + tf.cast(estimate(posterior, prior), tf.float32)


def check_pairing(estimate, layers):
    """Refuses a divergence that a posterior or prior cannot serve.

    Raises:
        ValueError: naming the layer, and what would do.
    """
    name = type(estimate).__name__
    for layer in layers:
        if (
            estimate.posterior_form == "distributions"
            and layer.posterior.distributions() is None
        ):
            raise ValueError(
                f"{name} needs a posterior with a density; layer "
                f"{layer.name!r} has {type(layer.posterior).__name__}, which "
                "has none. KernelKL needs samples only."
            )
        if (
            estimate.prior_form == "distributions"
            and _prior_distributions(layer.prior, 1) is None
        ):
            raise ValueError(
                f"{name} needs a prior with a density; layer {layer.name!r} "
                f"has {type(layer.prior).__name__}, which has none. KernelKL "
                "needs samples only."
            )


def check_stateless(estimate):
    """Refuses a divergence that only a model can train.

    Raises:
        ValueError: if it has state.
    """
    if estimate.is_learned:
        raise ValueError(
            "With kl_weight, expected a divergence without state, such as "
            f"KernelKL(); got {type(estimate).__name__}, which BayesianModel "
            "alone trains."
        )


def num_draws(estimate, num_samples, fewest=1):
    """How many draws a step makes: `num_samples` where samples are needed.

    Raises:
        ValueError: if `num_samples` is too small for the divergence.
    """
    if estimate.posterior_form != "samples":
        return fewest
    if num_samples < estimate.min_posterior_samples:
        raise ValueError(
            f"{type(estimate).__name__} needs num_samples to be at least "
            f"{estimate.min_posterior_samples}; got {num_samples}."
        )
    return max(num_samples, fewest)


def num_prior_samples(estimate, num_samples, given=None):
    """How many prior samples a step makes.

    Args:
        estimate: a `bbh_tf.divergences.Divergence`.
        num_samples: number of posterior samples.
        given: what the user said, or None.

    Raises:
        ValueError: if that is too few for the divergence.
    """
    if given is None:
        return max(num_samples, estimate.default_prior_samples)
    if estimate.prior_form == "samples" and given < estimate.min_prior_samples:
        raise ValueError(
            f"{type(estimate).__name__} needs num_prior_samples to be at least "
            f"{estimate.min_prior_samples}; got {given}."
        )
    return given


def _prior_distributions(prior, num_tensors):
    """One distribution for each weight tensor; None without a density."""
    if isinstance(prior, posteriors.AsPrior):
        return prior.distributions()
    distribution = getattr(prior, "distribution", None)
    return None if distribution is None else [distribution] * num_tensors


def _distributions(layers, samples):
    # One object for all layers of equal priors.
    known, found = {}, []
    for layer, tensors in zip(layers, samples):
        identity = _prior_identity(layer.prior)
        if identity not in known:
            known[identity] = _prior_distributions(layer.prior, 1)
        own = known[identity]
        found += own if len(own) == len(tensors) else own * len(tensors)
    return found


def _sample_priors(layers, samples, num_samples, key):
    # One call for all layers of equal priors: each distinct size of a draw is
    # a compilation.
    groups = {}
    for index, layer in enumerate(layers):
        groups.setdefault(_prior_identity(layer.prior), []).append(index)
    drawn = [None] * len(layers)
    for position, indices in enumerate(groups.values()):
        shapes = [tuple(x.shape[1:]) for i in indices for x in samples[i]]
        tensors = iter(
            layers[indices[0]].prior.sample(
                num_samples, shapes, randomness.fold(key, position)
            )
        )
        for index in indices:
            drawn[index] = [next(tensors) for _ in samples[index]]
    return [tensor for tensors in drawn for tensor in tensors]


def _prior_identity(prior):
    if isinstance(prior, posteriors.AsPrior):
        # Equal configurations do not make equal parameters.
        return id(prior)
    try:
        config = prior.get_config()
    except (AttributeError, ValueError):
        # A prior that cannot be saved can be sampled all the same.
        return id(prior)
    return json.dumps([type(prior).__name__, config], sort_keys=True)

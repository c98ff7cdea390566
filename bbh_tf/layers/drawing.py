"""Draws of the weights: how they are made, and how a network runs on one.

The steps are the same for one layer that draws for itself in a plain Keras
model and for a model that draws for all its random layers at once: those that
are `Bayesian`, whose weights a posterior replaces, and those that are
`Stochastic`, random by themselves.
"""

import contextlib
import json
import threading

import keras
import tensorflow as tf

from bbh_tf import randomness
from bbh_tf.layers.stochastic import Stochastic

# What a random key is for comes first in it, so that training, prediction and
# the prior never share numbers.
TRAINING, PREDICTION, PRIOR, DISCRIMINATOR = range(4)
# Sets the noise of stochastic layers' KL apart from samples of priors.
_STOCHASTIC_KL = -1

_active = threading.local()


def is_drawn(layer):
    """Whether somebody up the stack draws for this layer and adds its KL."""
    return id(layer) in getattr(_active, "draws", ())


def drawn(layer):
    """Returns the draw that a `Stochastic` layer is to run on.

    Returns:
        List of tensors, those of `Stochastic.sample_draws` without their
        first axis; None where each example is to have noise of its own.
    """
    return getattr(_active, "draws", {}).get(id(layer))


def add_counter(owner, name):
    """Adds an integer variable that every replica counts alike.

    Args:
        owner: the Keras layer or model that is to own it.
        name: its name.

    Returns:
        A saved, non-trainable `keras.Variable`, an `int64` scalar.
    """
    return owner.add_weight(
        name=name,
        shape=(),
        dtype="int64",
        initializer="zeros",
        trainable=False,
        aggregation="none",
        autocast=False,
    )


def sample(layers, num_samples, key, first=0, fixed=True):
    """Draws weights for Bayesian layers, and what fixes stochastic ones.

    Args:
        layers: list of built `Bayesian` and `Stochastic` layers; the place in
            the list is the layer's position in the random key.
        num_samples: number of draws.
        key: a key of `bbh_tf.randomness`.
        first: index of the first draw.
        fixed: whether stochastic layers are drawn; if not, each example will
            have noise of its own.

    Returns:
        `(samples, weights)`: for each layer, the list of its random variables
        and the list of its weights, tensors of shape `(num_samples, *shape)`.
        Stochastic layers have no samples, and None for weights if not fixed.
    """
    samples, weights = [], []
    for position, layer in enumerate(layers):
        if isinstance(layer, Stochastic):
            samples.append([])
            weights.append(
                layer.sample_draws(num_samples, key, position, first)
                if fixed
                else None
            )
        else:
            random, _ = layer.posterior.sample(
                num_samples, key, position, first
            )
            samples.append(random)
            weights.append(layer.posterior.weights_of(random))
    return samples, weights


def call(network, layers, weights, index, args, kwargs):
    """Runs a network, or a layer, on one draw of its weights.

    No variable is overwritten by the draw. What the call changes besides
    (moving statistics, the states of random seeds) is written back.

    Args:
        network: the Keras layer or model to call.
        layers: the `Bayesian` and `Stochastic` layers in it.
        weights: for each of them, its list of `(num_samples, *shape)`, or
            None, as `sample` returns them.
        index: which draw to take.
        args: positional arguments of the call.
        kwargs: keyword arguments of the call.

    Returns:
        `(outputs, losses)`: what the call returned, and a list of the scalar
        losses that layers added and of the users' regularisers on drawn
        weights.
    """
    draws = {
        id(layer): None if tensors is None else [x[index] for x in tensors]
        for layer, tensors in zip(layers, weights)
    }
    drawn = [
        (variable, tensor)
        for layer in layers
        for variable, tensor in zip(
            layer.replaced_variables, draws[id(layer)] or ()
        )
    ]
    mapping = [
        (variable, tf.cast(tensor, variable.dtype))
        for variable, tensor in drawn
    ]
    scope = keras.StatelessScope(state_mapping=mapping, collect_losses=True)
    with scope, _drawing(draws):
        if scope.original_scope is not None:
            # Within `stateless_call`: the caller has values for the others.
            scope.state_mapping = {
                **scope.original_scope.state_mapping,
                **scope.state_mapping,
            }
        outputs = network(*args, **kwargs)
    replaced = {id(variable) for variable, _ in drawn}
    for variable in network.non_trainable_variables:
        value = scope.get_current_value(variable)
        if value is not None and id(variable) not in replaced:
            variable.assign(value)
    regularization = [
        variable.regularizer(tensor)
        for variable, tensor in drawn
        if variable.regularizer is not None
    ]
    return outputs, scope.losses + regularization


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
        prior = [
            layer.prior.distribution
            for layer, tensors in zip(layers, samples)
            for _ in tensors
        ]
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
        if estimate.prior_form == "distributions" and not hasattr(
            layer.prior, "distribution"
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
    try:
        config = prior.get_config()
    except (AttributeError, ValueError):
        # A prior that cannot be saved can be sampled all the same.
        return id(prior)
    return json.dumps([type(prior).__name__, config], sort_keys=True)


@contextlib.contextmanager
def _drawing(draws):
    previous = getattr(_active, "draws", {})
    _active.draws = {**previous, **draws}
    try:
        yield
    finally:
        _active.draws = previous

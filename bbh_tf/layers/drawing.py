"""Draws of the weights: how they are made, and how a network runs on one.

The steps are the same for one layer that draws for itself in a plain Keras
model and for a model that draws for all its Bayesian layers at once.
"""

import contextlib
import json
import threading

import keras
import tensorflow as tf

from bbh_tf import randomness

# What a random key is for comes first in it, so that training, prediction and
# the prior never share numbers.
TRAINING, PREDICTION, PRIOR = range(3)

_active = threading.local()


def is_drawn(layer):
    """Whether somebody up the stack has drawn this layer's weights."""
    return id(layer) in getattr(_active, "layers", ())


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


def sample(layers, num_samples, key, first=0):
    """Draws weights for Bayesian layers.

    Args:
        layers: list of built `Bayesian` layers; the place in the list is the
            layer's position in the random key.
        num_samples: number of draws.
        key: a key of `bbh_tf.randomness`.
        first: index of the first draw.

    Returns:
        `(samples, weights)`: for each layer, the list of its random variables
        and the list of its weights, tensors of shape `(num_samples, *shape)`.
    """
    samples, weights = [], []
    for position, layer in enumerate(layers):
        drawn, _ = layer.posterior.sample(num_samples, key, position, first)
        samples.append(drawn)
        weights.append(layer.posterior.weights_of(drawn))
    return samples, weights


def call(network, layers, weights, index, args, kwargs):
    """Runs a network, or a layer, on one draw of its weights.

    No variable is overwritten by the draw. What the call changes besides
    (moving statistics, the states of random seeds) is written back.

    Args:
        network: the Keras layer or model to call.
        layers: the `Bayesian` layers in it that are drawn.
        weights: for each of them, its list of `(num_samples, *shape)`.
        index: which draw to take.
        args: positional arguments of the call.
        kwargs: keyword arguments of the call.

    Returns:
        `(outputs, losses)`: what the call returned, and a list of the scalar
        losses that layers added and of the users' regularisers on drawn
        weights.
    """
    drawn = [
        (variable, tensor[index])
        for layer, tensors in zip(layers, weights)
        for variable, tensor in zip(layer.replaced_variables, tensors)
    ]
    mapping = [
        (variable, tf.cast(tensor, variable.dtype))
        for variable, tensor in drawn
    ]
    scope = keras.StatelessScope(state_mapping=mapping, collect_losses=True)
    with scope, _mark_drawn(layers):
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


def divergence(layers, samples, estimate, num_prior_samples, prior_key):
    """Computes KL(q || p) of Bayesian layers together.

    Args:
        layers: list of `Bayesian` layers.
        samples: their random variables, as `sample` returns them.
        estimate: a `bbh_tf.divergences.Divergence`.
        num_prior_samples: number of samples of the prior, where needed.
        prior_key: a key of `bbh_tf.randomness`.

    Returns:
        Scalar `float32` tensor, nats.
    """
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
        prior = _sample_priors(layers, samples, num_prior_samples, prior_key)
    return tf.cast(estimate(posterior, prior), tf.float32)


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
def _mark_drawn(layers):
    previous = getattr(_active, "layers", frozenset())
    _active.layers = previous | {id(layer) for layer in layers}
    try:
        yield
    finally:
        _active.layers = previous

"""Draws of the weights: how they are made, and how a network runs on one.

The steps are the same for one layer that draws for itself in a plain Keras
model and for a model that draws for all its random layers at once.
"""

import collections
import contextlib
import threading

import keras
import tensorflow as tf

from bbh_tf.layers import arrival
from bbh_tf.layers import own_types
from bbh_tf.layers import replica_noise

_active = threading.local()


def is_drawn(layer):
    """Whether somebody up the stack draws for this layer and adds its KL."""
    return id(layer) in getattr(_active, "draws", ())


def drawn(layer):
    """Returns the draw that a random layer is to run on.

    Returns:
        List of tensors, the weights of a `LayerDraw` without their first
        axis; None where each example is to have noise of its own.
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


def count_on(counter, inputs):
    """Advances an `add_counter` by one, after a layer's inputs are there."""
    with arrival.after(inputs):
        counter.assign(counter.value + 1)


@own_types.own_types()
def sample(layers, num_samples, key, first=0):
    """Draws what fixes all random layers.

    Args:
        layers: list of built `RandomLayer`; the place in the list is the
            layer's position in the random key.
        num_samples: number of draws.
        key: a key of `bbh_tf.randomness`.
        first: index of the first draw.

    Returns:
        List of `LayerDraw`, one for each layer.
    """
    return [
        layer.draw(num_samples, key, position, first)
        for position, layer in enumerate(layers)
    ]


@own_types.own_types()
def sample_for_training(layers, num_samples, key):
    """Draws what a training step runs on; see `sample`.

    The weights of layers that have noise of their own for each example are
    None.
    """
    return [
        layer.training_draw(num_samples, key, position)
        for position, layer in enumerate(layers)
    ]


def weights_of(draws):
    """Returns the weights of draws, a list for each layer, or None."""
    return [draw.weights for draw in draws]


def apart(draws, count):
    """Sets the weights of the first draws apart from all.

    The values are the same. But the gradient of `weights[index]` is a tensor of
    all draws, zero but for one, for each index; here the gradients of the parts
    are added into that of all.

    Args:
        draws: list of `LayerDraw`.
        count: number of draws to set apart.

    Returns:
        `(draws, parts)`: the draws, and for each part what `weights_of`
        returns, each tensor of shape `(1, *shape)`.
    """
    given, parts = [], []
    for draw in draws:
        if draw.weights is None:
            given.append(draw)
            parts.append([None] * count)
            continue
        split = [_with_parts(tensor, count) for tensor in draw.weights]
        whole = {id(x): new for x, (new, _) in zip(draw.weights, split)}
        given.append(
            draw._replace(
                samples=[whole.get(id(x), x) for x in draw.samples],
                weights=[new for new, _ in split],
            )
        )
        parts.append([[of[index] for _, of in split] for index in range(count)])
    return given, [[of[index] for of in parts] for index in range(count)]


def _with_parts(tensor, count):
    if tensor.shape[0] == 1:
        return tensor, [tensor]

    @tf.custom_gradient
    def split(tensor):
        def gradient(of_all, *of_parts):
            return tf.tensor_scatter_nd_add(
                of_all,
                tf.range(count)[:, tf.newaxis],
                tf.concat(of_parts, axis=0),
            )

        firsts = [tensor[index : index + 1] for index in range(count)]
        return (tf.identity(tensor), *firsts), gradient

    whole, *firsts = split(tensor)
    return whole, firsts


def call(
    network, layers, weights, index, args, kwargs, values=(), function=None
):
    """Runs a network, or a layer, on one draw of its weights.

    No variable is overwritten by the draw. What the call changes besides
    (moving statistics, the states of random seeds, metrics that layers keep)
    is written back.

    Args:
        network: the Keras layer or model to call.
        layers: the random layers in it.
        weights: for each of them, its list of `(num_samples, *shape)`, or
            None, as `weights_of` returns them.
        index: which draw to take.
        args: positional arguments of the call.
        kwargs: keyword arguments of the call.
        values: pairs of a variable of the network and a tensor that stands
            in for it; such a variable is not written back.
        function: what runs the network; None for the network itself.

    Returns:
        `(outputs, losses)`: what the call returned, and a list of the scalar
        losses that layers added and of the users' regularisers on drawn
        weights.

    Raises:
        ValueError: if a layer sets a variable that is drawn.
    """
    with replica_noise.apart(network):
        outputs, scope, drawn = _run(
            function or network, layers, weights, index, args, kwargs, values
        )
        _check_not_written(scope, drawn)
        replaced = {id(variable) for variable, _ in values}
        for variable in {id(x): x for x in scope.written}.values():
            if id(variable) not in replaced:
                variable.assign(scope.get_current_value(variable))
    regularization = [
        variable.regularizer(tensor)
        for variable, tensor in drawn
        if variable.regularizer is not None
    ]
    return outputs, scope.losses + regularization


def changes(network, layers, weights, args, kwargs, values):
    """Runs a network on its first draw to see what that would change.

    Nothing is written back.

    Args:
        network: see `call` for this and what follows.
        layers: the random layers in it.
        weights: for each of them, its list of `(num_samples, *shape)`.
        args: positional arguments of the call.
        kwargs: keyword arguments of the call.
        values: pairs of a variable and the value from which it is changed.

    Returns:
        List of pairs of the values of these variables after the call, and of
        how often the call wrote them.
    """
    _, scope, _ = _run(network, layers, weights, 0, args, kwargs, values)
    times_written = collections.Counter(map(id, scope.written))
    return [
        (scope.get_current_value(variable), times_written[id(variable)])
        for variable, _ in values
    ]


def _check_not_written(scope, drawn):
    """Refuses a layer that sets its weights, which draws stand in for.

    What it made of a draw in training would be lost in prediction.
    """
    written = {id(variable) for variable in scope.written}
    for variable, _ in drawn:
        if id(variable) in written:
            raise ValueError(
                "Expected random weights that no layer sets while it is "
                f"called, as SpectralNormalization does; {variable.path!r} is "
                "set: leave its layer out (layers=... of bayesify)."
            )


class _Scope(keras.StatelessScope):
    """A stateless scope that lists what is written, each time."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.written = []

    def add_update(self, update):
        self.written.append(update[0])
        super().add_update(update)


def _run(network, layers, weights, index, args, kwargs, values):
    draws = {
        id(layer): None
        if tensors is None
        else [_one_of(tensor, index) for tensor in tensors]
        for layer, tensors in zip(layers, weights)
    }
    drawn = [
        (variable, tensor)
        for layer in layers
        for variable, tensor in zip(
            layer.replaced_variables, draws[id(layer)] or ()
        )
    ]
    with own_types.own_types():
        mapping = [
            (variable, tf.cast(tensor, variable.dtype))
            for variable, tensor in [*drawn, *values]
        ]
        scope = _Scope(state_mapping=mapping, collect_losses=True)
    with scope, _drawing(draws):
        if scope.original_scope is not None:
            # Within `stateless_call`: the caller has values for the others.
            scope.state_mapping = {
                **scope.original_scope.state_mapping,
                **scope.state_mapping,
            }
        outputs = network(*args, **kwargs)
    return outputs, scope, drawn


def _one_of(tensor, index):
    # The gradient of a slice fills a tensor; that of a new shape does not.
    return tf.squeeze(tensor, 0) if tensor.shape[0] == 1 else tensor[index]


@contextlib.contextmanager
def _drawing(draws):
    previous = getattr(_active, "draws", {})
    _active.draws = {**previous, **draws}
    try:
        yield
    finally:
        _active.draws = previous

"""The members of an ensemble: how they begin, and what each is given."""

import random
import warnings

import keras
import numpy as np
import tensorflow as tf

from bbh_tf.layers import copying
from bbh_tf.layers import selection
from bbh_tf.models import cloning
from bbh_tf.models import layer_values
from bbh_tf.models import refusals


def check_network(network):
    """Refuses a network that members cannot be cloned from.

    Raises:
        ValueError: if it is no built functional or sequential model, has
            several outputs, or layers that are random.
    """
    cloning.check_cloneable(network)
    refusals.check_one_output(network)
    refusals.check_ordinary(
        network,
        "Members of a DeepEnsemble are ordinary networks",
        "which a BayesianModel trains",
    )


def warn_of_training(network):
    """Warns that what a network has learnt is left behind.

    A network shows it by an optimiser that has taken steps, or by a bias or a
    moving mean that began at 0 and is there no longer.
    """
    steps = getattr(getattr(network, "optimizer", None), "iterations", 0)
    if int(steps) or any(map(_has_learnt, selection.sublayers_of(network))):
        warnings.warn(
            "Members of a DeepEnsemble begin from values of their own: what "
            f"{network.name!r} has learnt does not count. Freeze the layers "
            "or variables that are to keep it (trainable = False), and the "
            "rest is made anew; for a distribution around trained weights "
            'there is bayesify(start="pretrained").',
            stacklevel=3,
        )


def _has_learnt(layer):
    if not layer.trainable:
        return False
    zeros = keras.initializers.Zeros
    kept = {id(variable) for variable in _kept(layer)}
    return any(
        isinstance(getattr(layer, f"{name}_initializer", None), zeros)
        and getattr(layer, name, None) is not None
        and id(getattr(layer, name)) not in kept
        and not _is_fresh(layer, name)
        for name in ("bias", "moving_mean", "beta")
    )


def _is_fresh(layer, name):
    """Whether a variable is what an initialiser of zeros began it with."""
    value = keras.ops.convert_to_numpy(getattr(layer, name))
    fresh = np.zeros_like(value)
    if name == "bias" and getattr(layer, "unit_forget_bias", False):
        # Of four gates of an LSTM, Keras begins the second at 1.
        size = len(fresh) // 4
        fresh[size : 2 * size] = 1
    return np.array_equal(value, fresh)


def member(network, key):
    """Clones a network, with values of its own.

    Args:
        network: a model that `check_network` lets pass.
        key: text that says which ensemble and member the clone is for.

    Returns:
        A `keras.Model`. Layers without trainable weights, and single variables
        that are frozen, have the values of the network's.
    """

    def replace(layer):
        return copying.like(
            layer, _with_other_seeds(copying.live_config(layer), key)
        )

    # Where an initialiser has no seed, Keras takes one from this generator.
    # Put in the configuration instead, it would make alike what a layer makes
    # of one initialiser: queries, keys and values, say.
    state = random.getstate()
    random.seed(key)
    try:
        clone, pairs = cloning.clone(network, replace)
    finally:
        random.setstate(state)
    for pair in pairs:
        for old, new in zip(*map(selection.sublayers_of, pair), strict=True):
            # The states of its random seeds are the member's.
            kept = {id(variable) for variable in _kept(old)}
            for variable, target in zip(old.weights, new.weights, strict=True):
                if id(variable) in kept:
                    layer_values.assign_variable(variable, target)
            if not old.trainable_weights:
                layer_values.copy_adapted(old, new)
    return clone


def _kept(layer):
    """Returns the weights whose values are the same in all members."""
    if not layer.trainable_weights:
        return layer.weights
    # Moving statistics, which were never to be trained, are not among these.
    return [v for v in layer._trainable_variables if selection.is_frozen(v)]


def split(data, count):
    """Splits a batch into equal parts.

    Args:
        data: `(x, y, sample_weight)`.
        count: number of parts.

    Returns:
        List of such tuples.

    Raises:
        ValueError: if the parts would not be equal.
    """
    size = tf.convert_to_tensor(keras.tree.flatten(data[0])[0]).shape[0]
    if size is not None and size % count:
        raise ValueError(
            f"Expected a batch of a multiple of {count} examples, the number "
            f"of members; got {size}."
        )
    leaves = keras.tree.flatten(data)
    if size is None:
        check = tf.debugging.assert_equal(
            tf.shape(leaves[0])[0] % count,
            0,
            f"Expected batches of a multiple of {count} examples, the number "
            "of members; the last batch counts, too.",
        )
        # Or a split may fail first, and say less.
        with tf.control_dependencies([check] if check is not None else []):
            leaves = [x if x is None else tf.identity(x) for x in leaves]
    leaves = [
        [leaf] * count if leaf is None else tf.split(leaf, count)
        for leaf in leaves
    ]
    return [
        keras.tree.pack_sequence_as(data, list(part)) for part in zip(*leaves)
    ]


def _with_other_seeds(config, key):
    """Changes the fixed seeds of a configuration, at any depth."""
    if isinstance(config, (list, tuple)):
        return type(config)(_with_other_seeds(item, key) for item in config)
    if not isinstance(config, dict):
        return config
    config = {k: _with_other_seeds(v, key) for k, v in config.items()}
    if isinstance(config.get("seed"), int):
        mixed = random.Random(f"{config['seed']} {key}")
        config["seed"] = mixed.getrandbits(31)
    return config

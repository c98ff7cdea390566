"""MNF layers whose every parameter counts, for the tests beside."""

import numpy as np

from bbh_tf.layers import MNFConv2D
from bbh_tf.layers import MNFDense

# A layer with its input's shape: of each kind, with and without a bias.
KINDS = {
    "dense": (MNFDense, (3,), (4,)),
    "dense, no bias": (MNFDense, (3,), (4,)),
    "conv": (MNFConv2D, (3, 2), (2, 2, 2)),
    "conv, no bias": (MNFConv2D, (3, 2), (2, 2, 2)),
}


def built(kind, spread=True, **kwargs):
    """Makes a layer.

    Args:
        kind: key of `KINDS`.
        spread: whether to give the parameters values that tell them apart.
        **kwargs: arguments of the layer.
    """
    make, arguments, shape = KINDS[kind]
    kwargs = {"flow_units": 6, "auxiliary_flow_units": 5, "seed": 7, **kwargs}
    layer = make(*arguments, use_bias="no bias" not in kind, **kwargs)
    layer.build((None, *shape))
    if spread:
        generator = np.random.default_rng(0)
        for variable in layer.trainable_variables:
            center = {"z_mean": 1.0, "kernel_log_std": -1.0}
            variable.assign(
                generator.normal(
                    center.get(variable.name, 0.0), 0.5, variable.shape
                )
            )
    return layer


def inputs(kind, count=1, seed=3):
    """Returns so many copies of one random example."""
    shape = KINDS[kind][2]
    example = np.random.default_rng(seed).normal(size=(1, *shape))
    return np.repeat(example, count, axis=0).astype("float32")


def variable(layer, name):
    """Finds a variable by its name."""
    (found,) = [v for v in layer.weights if v.name == name]
    return found


def fix_factors(layer, value=1.0):
    """Makes the factors z of a layer without flows a constant."""
    variable(layer, "z_mean").assign(
        np.full(variable(layer, "z_mean").shape, value)
    )
    variable(layer, "z_log_variance").assign(
        np.full(variable(layer, "z_mean").shape, -100.0)
    )


def worst_difference(left, right):
    """Compares moments of two sets of samples `(n, k)`.

    Returns:
        The largest difference of means, variances and covariances, in
        standard errors.
    """
    left, right = (np.asarray(x, np.float64) for x in (left, right))
    scores = []
    center = right.mean(0)
    for moment in (
        lambda x: x,
        lambda x: ((x - center)[:, :, None] * (x - center)[:, None]).reshape(
            len(x), -1
        ),
    ):
        a, b = moment(left), moment(right)
        error = np.sqrt(a.var(0) / len(a) + b.var(0) / len(b))
        scores.append(np.abs(a.mean(0) - b.mean(0)) / error)
    return np.concatenate(scores).max()

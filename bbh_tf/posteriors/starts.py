"""Where a posterior around given weights starts."""

import math

import numpy as np

from bbh_tf import checks


def arrays(values, specs):
    """Checks the weights that a posterior is to be put around.

    Args:
        values: list of arrays, one for each weight tensor.
        specs: list of the tensors' `bbh_tf.weights.WeightSpec`.

    Returns:
        List of `float32` arrays.

    Raises:
        ValueError: if they are not as many, of other shapes or not finite.
    """
    values = [np.asarray(value, np.float32) for value in values]
    found = [value.shape for value in values]
    expected = [tuple(spec.shape) for spec in specs]
    if found != expected:
        names = ", ".join(spec.name for spec in specs)
        raise ValueError(
            f"Expected weights of shapes {expected} to start at, of {names}; "
            f"got {found}."
        )
    for value, spec in zip(values, specs):
        if not np.isfinite(value).all():
            raise ValueError(
                "Expected finite weights to start at; got "
                f"{np.sum(~np.isfinite(value))} in {spec.name} that are not."
            )
    return values


def stds(values, relative_std):
    """Says how wide a narrow distribution around given weights is.

    A weight's own size would not do: those that are 0 would be constants.

    Args:
        values: list of arrays, one for each weight tensor.
        relative_std: standard deviation in units of a tensor's root mean
            square; of that of all tensors where one holds zeros only (as
            biases may), of 1 where all do.

    Returns:
        List of positive numbers, one for each tensor.

    Raises:
        ValueError: if `relative_std` is not positive.
    """
    checks.check_positive("relative_std", relative_std)
    squares = [np.square(np.asarray(x, np.float64)) for x in values]
    whole = np.concatenate([square.ravel() for square in squares]).mean()
    return [
        relative_std * math.sqrt(square.mean() or whole or 1.0)
        for square in squares
    ]

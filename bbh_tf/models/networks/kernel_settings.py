"""What all layers of a network are told about their kernels."""

import itertools

from bbh_tf import weights


def each_layers(kernel_initializer, kernel_regularizer):
    """Makes a function that returns the arguments of the next layer.

    An initialiser object would give kernels of one shape the same values: each
    layer has a copy of its own; see `weights.fresh_initializer`.

    Args:
        kernel_initializer: initialiser of all kernels, as Keras takes it; None
            for the layers' own.
        kernel_regularizer: regulariser of all kernels, likewise.

    Returns:
        A function without arguments. It returns a dictionary.
    """
    indices = itertools.count()

    def settings():
        given = {
            "kernel_initializer": weights.fresh_initializer(
                kernel_initializer, next(indices)
            ),
            "kernel_regularizer": kernel_regularizer,
        }
        return {name: x for name, x in given.items() if x is not None}

    return settings

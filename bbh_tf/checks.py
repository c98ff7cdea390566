"""Refusals that posteriors, layers and models share."""

import inspect
import math
import numbers

import keras
import numpy as np

# A softmax in float16 misses 1 by a few 1e-4; anything beyond this is not a
# distribution but logits, log-probabilities or a wrong axis.
ROW_SUM_TOLERANCE = 1e-3


def is_count(value, fewest=1, most=math.inf):
    """Whether a value is an integer in a range, of Python or NumPy."""
    is_integer = isinstance(value, numbers.Integral)
    is_integer = is_integer and not isinstance(value, bool)
    return is_integer and fewest <= value <= most


def check_count(argument, value, fewest=1, most=math.inf):
    """Refuses what is not a positive integer, or none in a range.

    Raises:
        ValueError: naming the argument and the value.
    """
    if is_count(value, fewest, most):
        return
    expected = "a positive integer"
    if most != math.inf:
        expected = f"an integer from {fewest} to {most}"
    elif fewest != 1:
        expected = f"an integer >= {fewest}"
    _refuse(argument, value, expected)


def counts(argument, values):
    """Returns widths of layers, or the like, as a list of integers.

    Raises:
        ValueError: naming the argument and the values, if they are no list
            of positive integers.
    """
    if not isinstance(values, (list, tuple)) or not all(map(is_count, values)):
        _refuse(argument, values, "a list of positive integers")
    return [int(value) for value in values]


def flag(argument, value):
    """Returns a flag as Python's bool, from Python or NumPy.

    Raises:
        ValueError: naming the argument and the value, if it is neither True
            nor False: "no", say, which counts as True in Python.
    """
    if not isinstance(value, bool | np.bool_):
        _refuse(argument, value, "True or False")
    return bool(value)


def is_number(value):
    """Whether a value is a finite number, of Python or NumPy."""
    is_real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return is_real and math.isfinite(value)


def is_positive(value):
    """Whether a value is a finite number above zero, of Python or NumPy."""
    return is_number(value) and value > 0


def check_number(argument, value):
    """Refuses what is not a finite number.

    Raises:
        ValueError: naming the argument and the value.
    """
    if not is_number(value):
        _refuse(argument, value, "a finite number")


def check_factor(argument, value):
    """Refuses what is not a finite number, zero or more.

    Raises:
        ValueError: naming the argument and the value.
    """
    if not is_number(value) or value < 0:
        _refuse(argument, value, "a finite number >= 0")


def check_positive(argument, value):
    """Refuses what is not a finite number above zero.

    Raises:
        ValueError: naming the argument and the value.
    """
    if not is_positive(value):
        _refuse(argument, value, "a finite number > 0")


def check_learning_rate(value):
    """Refuses what is no step size: a number above zero or a Keras schedule.

    Returns:
        The schedule, or the number as Keras takes it, a float.

    Raises:
        ValueError: naming the argument and the value.
    """
    schedule = keras.optimizers.schedules.LearningRateSchedule
    if not is_positive(value) and not isinstance(value, schedule):
        expected = "a finite number > 0 or a Keras schedule"
        _refuse("learning_rate", value, expected)
    return value if isinstance(value, schedule) else float(value)


def limits(argument, values):
    """Returns `(lowest, highest)` as Python's numbers; None for None.

    Raises:
        ValueError: naming the argument and the values, if they are no two
            numbers in that order.
    """
    if values is None:
        return None
    try:
        lowest, highest = (float(value) for value in values)
        in_order = lowest < highest
    except (TypeError, ValueError):
        in_order = False
    if not in_order:
        _refuse(argument, values, "(lowest, highest)")
    return lowest, highest


def are_probabilities(outputs):
    """Whether outputs `(..., classes)` have been through a softmax already."""
    off = np.abs(outputs.sum(axis=-1) - 1)
    all_sum_to_1 = np.all(off <= ROW_SUM_TOLERANCE)
    return outputs.size > 0 and outputs.min() >= 0 and all_sum_to_1


def check_config(thing):
    """Refuses an object whose copies and files would lose arguments.

    Layers make their own of what they are given, from its configuration.

    Raises:
        ValueError: if a class takes arguments of which the `get_config` that
            it inherits knows nothing.
    """
    kinds = type(thing).__mro__
    owner = next(k for k, x in enumerate(kinds) if "get_config" in vars(x))
    known = {"self", "name"}.union(*map(_arguments, kinds[owner:]))
    for kind in kinds[:owner]:
        for argument in _arguments(kind) - known:
            raise ValueError(
                f"Expected {kind.__name__} to have a get_config that returns "
                "all arguments of its constructor, since copies and files "
                f"are made of it; the one it inherits has no {argument!r}."
            )


def _arguments(kind):
    if "__init__" not in vars(kind):
        return set()
    parameters = inspect.signature(kind.__init__).parameters.values()
    others = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {x.name for x in parameters if x.kind not in others}


def check_channels_last(function):
    """Refuses the layout of images that Keras is set to, for a network.

    Args:
        function: the function that makes the network.

    Raises:
        ValueError: if Keras' layers take channels first.
    """
    found = keras.config.image_data_format()
    if found != "channels_last":
        raise ValueError(
            f"{function.__name__} is a network of images (height, width, "
            "channels): expected keras.config.image_data_format() to be "
            f"'channels_last'; got {found!r}."
        )


def check_backend():
    """Refuses Keras on anything but TensorFlow.

    Raises:
        ImportError: naming the backend that Keras runs on.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ImportError(
            f"bbh_tf expects Keras to run on TensorFlow; got {backend!r}. Set "
            "KERAS_BACKEND=tensorflow."
        )


def _refuse(argument, value, expected):
    raise ValueError(f"Expected {argument} to be {expected}; got {value!r}.")

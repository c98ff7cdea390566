"""Refusals that posteriors, layers and models share."""

import math
import numbers

import keras


def is_count(value):
    """Whether a value is a positive integer, of Python or NumPy."""
    is_integer = isinstance(value, numbers.Integral)
    return is_integer and not isinstance(value, bool) and value >= 1


def check_count(argument, value):
    """Refuses what is not a positive integer.

    Raises:
        ValueError: naming the argument and the value.
    """
    if not is_count(value):
        raise ValueError(
            f"Expected {argument} to be a positive integer; got {value!r}."
        )


def counts(argument, values):
    """Returns widths of layers, or the like, as a list of integers.

    Raises:
        ValueError: naming the argument and the values, if they are no list
            of positive integers.
    """
    if not isinstance(values, (list, tuple)) or not all(map(is_count, values)):
        raise ValueError(
            f"Expected {argument} to be a list of positive integers; got "
            f"{values!r}."
        )
    return [int(value) for value in values]


def check_factor(argument, value):
    """Refuses what is not a finite number, zero or more.

    Raises:
        ValueError: naming the argument and the value.
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not 0 <= value < math.inf:
        raise ValueError(
            f"Expected {argument} to be a finite number >= 0; got {value!r}."
        )


def is_positive(value):
    """Whether a value is a finite number above zero, of Python or NumPy."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return is_number and 0 < value < math.inf


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

"""Refusals that several models share."""

import numbers


def check_count(argument, value):
    """Refuses what is not a positive integer.

    Raises:
        ValueError: naming the argument and the value.
    """
    is_integer = isinstance(value, numbers.Integral)
    if not is_integer or isinstance(value, bool) or value < 1:
        raise ValueError(
            f"Expected {argument} to be a positive integer; got {value!r}."
        )

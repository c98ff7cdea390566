"""Arguments that only a posterior has a use for."""

import inspect


def check_unused(function, **given):
    """Refuses arguments that would be ignored, where there is no posterior.

    Args:
        function: the function that was called, which says their defaults.
        **given: their values.

    Raises:
        ValueError: naming the first that is not its default.
    """
    parameters = inspect.signature(function).parameters
    for name, value in given.items():
        default = parameters[name].default
        if value is not default and value != default:
            raise ValueError(
                f"{function.__name__} expects no {name} without a posterior, "
                f"whose it would be; got {name}={value!r}."
            )

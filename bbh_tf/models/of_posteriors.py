"""Arguments that a posterior, or its absence, has no use for."""

import inspect


def check_unused(
    function, why="without a posterior, whose it would be", **given
):
    """Refuses arguments that would be ignored.

    Args:
        function: the function that was called, which says their defaults.
        why: where they would be, for the message.
        **given: their values.

    Raises:
        ValueError: naming the first that is not its default.
    """
    parameters = inspect.signature(function).parameters
    for name, value in given.items():
        default = parameters[name].default
        if value is not default and value != default:
            raise ValueError(
                f"{function.__name__} expects no {name} {why}; got "
                f"{name}={value!r}."
            )


def check_kernels(function, posterior, start, kernel_initializer):
    """Refuses an initialiser of kernels that a posterior starts by itself.

    Args:
        function: the function that was called.
        posterior: recipe of the posterior, or None.
        start: as `bayesify` takes it.
        kernel_initializer: what was given, or None.

    Raises:
        ValueError: if it would be ignored.
    """
    if posterior is not None and start == "random":
        check_unused(
            function,
            'with a posterior and start="random", whose recipe says how it '
            "starts",
            kernel_initializer=kernel_initializer,
        )

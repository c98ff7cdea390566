"""Arguments that only a posterior has a use for."""


def check_unused(function, given):
    """Refuses arguments that would be ignored, where there is no posterior.

    Args:
        function: name of the function that was called.
        given: dictionary from names of arguments to pairs of a value and its
            default.

    Raises:
        ValueError: naming the first that is not its default.
    """
    for name, (value, default) in given.items():
        if value is not default and value != default:
            raise ValueError(
                f"{function} expects no {name} without a posterior, whose it "
                f"would be; got {name}={value!r}."
            )

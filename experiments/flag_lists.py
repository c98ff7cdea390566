"""Flags that are lists of names or numbers."""

from experiments import flag_checks


def check_kernels(flag, dataset):
    """Refuses to do without kernels, which only the digits can.

    Args:
        flag: the holder of the flag of files of kernels.
        dataset: name of the data set.

    Raises:
        ExperimentError: naming the flag.
    """
    flag_checks.check(
        flag, dataset == "digits" or flag.value, "a file for each convolution"
    )


def names(flag, allowed):
    """Returns the names that a flag holds.

    Args:
        flag: an `absl` flag's holder of a list of texts.
        allowed: what may be among them.

    Returns:
        A tuple, each once.

    Raises:
        ExperimentError: naming the flag.
    """
    found = flag.value
    flag_checks.check(
        flag,
        found and len(set(found)) == len(found) and {*found} <= {*allowed},
        f"some of {', '.join(allowed)}, each once",
    )
    return tuple(found)


def floats(flag, is_fit, expected):
    """Returns the numbers that a flag holds.

    Args:
        flag: an `absl` flag's holder of a list of texts.
        is_fit: callable, whether a number fits.
        expected: what would, for the message.

    Returns:
        A tuple, each once.

    Raises:
        ExperimentError: naming the flag.
    """
    try:
        found = tuple(map(float, flag.value))
    except ValueError:
        found = ()
    flag_checks.check(flag, found and all(map(is_fit, found)), expected)
    flag_checks.check(flag, len(set(found)) == len(found), "each once")
    return found


def integers(flag, fewest, multiple=1):
    """Returns the integers that a flag holds.

    Args:
        flag: an `absl` flag's holder of a list of texts.
        fewest: the least that one may be.
        multiple: what each is a multiple of.

    Returns:
        A tuple, each once.

    Raises:
        ExperimentError: naming the flag.
    """
    texts = flag.value
    found = [int(text) for text in texts if text.isdecimal()]
    is_fit = all(
        fewest <= x < 2**31 - 1 and x % multiple == 0 for x in found
    ) and len(set(found)) == len(texts)
    what = "whole numbers" if multiple == 1 else f"multiples of {multiple}"
    flag_checks.check(
        flag, texts and is_fit, f"{what} from {fewest}, each once"
    )
    return tuple(found)

"""Flags that are lists of names or numbers."""

from experiments.errors import ExperimentError


def check_kernels(flag, dataset):
    """Refuses to do without kernels, which only the digits can.

    Args:
        flag: the holder of the flag of files of kernels.
        dataset: name of the data set.

    Raises:
        ExperimentError: naming the flag.
    """
    if dataset != "digits" and not flag.value:
        raise ExperimentError(
            f"--{flag.name}: expected a file for each convolution; got none."
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
    if not found or len(set(found)) < len(found) or not {*found} <= {*allowed}:
        raise ExperimentError(
            f"--{flag.name}: expected some of {', '.join(allowed)}, each once; "
            f"got {','.join(found) or 'none'}."
        )
    return tuple(found)


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
    if not texts or not is_fit:
        what = "whole numbers" if multiple == 1 else f"multiples of {multiple}"
        raise ExperimentError(
            f"--{flag.name}: expected {what} from {fewest}, each once; got "
            f"{','.join(texts) or 'none'}."
        )
    return tuple(found)

"""Settings of a run that the command line may set in place of its row's."""

import typing

from absl import flags

from experiments.errors import ExperimentError

_DIVERGENCES = ("kernel", "full_kernel", "entropy", "adversarial", "analytic")
_NEIGHBOURS = ("kernel", "full_kernel", "entropy")


class Change(typing.NamedTuple):
    """A setting that can be changed.

    Attributes:
        help: what it is, a sentence.
        parse: function from a text to a value; raises ValueError.
        expected: what `parse` takes, in words.
        applies: function that says whether a run with given settings, a
            dictionary with `"method"`, has it.
    """

    help: str
    parse: typing.Callable
    expected: str
    applies: typing.Callable


def _count(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _counts(text):
    return tuple(_count(part) for part in text.split(","))


def _divergence(text):
    if text not in _DIVERGENCES:
        raise ValueError
    return text


def _is_bbh(found):
    return found["method"] == "bbh"


CHANGES = {
    "divergence": Change(
        "Estimate of the KL of Bayes by Hypernet and Bayes by Backprop.",
        _divergence,
        f"one of {', '.join(_DIVERGENCES)}",
        lambda found: found.get("divergence") is not None,
    ),
    "num_neighbours": Change(
        "Which neighbour the nearest-neighbour estimates look at; the "
        "paper's is 1.",
        _count,
        "a positive integer",
        lambda found: found.get("divergence") in _NEIGHBOURS,
    ),
    "num_prior_samples": Change(
        "Prior samples of the kernel and adversarial estimates.",
        _count,
        "a positive integer",
        lambda found: (
            found.get("divergence") in ("kernel", "full_kernel", "adversarial")
        ),
    ),
    "hypernetwork_units": Change(
        "Widths of the hypernetworks' hidden layers; the paper's are "
        "64,256,512.",
        _counts,
        "positive integers, as in 64,256,16",
        _is_bbh,
    ),
    "noise_dim": Change(
        "Dimension of the hypernetworks' noise.",
        _count,
        "a positive integer",
        _is_bbh,
    ),
}


def define_flags(here):
    """Defines a flag for each setting.

    Args:
        here: keyword arguments of absl's functions that define flags.
    """
    for name, change in CHANGES.items():
        flags.DEFINE_string(name, None, change.help, **here)


def from_flags(given):
    """Returns what flags change.

    Args:
        given: dictionary from the names of flags to their values.

    Returns:
        Tuple of pairs of a name and a value.

    Raises:
        ExperimentError: if a value is not as it should be.
    """
    changes = []
    for name, change in CHANGES.items():
        text = given.get(name)
        if text is None:
            continue
        try:
            changes.append((name, change.parse(text)))
        except ValueError as error:
            raise ExperimentError(
                f"--{name}: expected {change.expected}; got {text!r}."
            ) from error
    return tuple(changes)


def check(changes, rows):
    """Refuses a change that no row has, or that a row sets itself.

    Args:
        changes: what `from_flags` returns.
        rows: key of a row -> `(settings, own)`: its settings without the
            changes, a dictionary with `"method"`, and the names of those that
            tell it from the table's other rows.

    Raises:
        ExperimentError: naming the flag.
    """
    for name, value in changes:
        for row, (_, own) in rows.items():
            if name in own:
                raise ExperimentError(
                    f"--{name}: expected none in this table, whose rows set "
                    f"it; got {value} beside {row}."
                )
        if not any(name in kept(found, changes) for found, _ in rows.values()):
            raise ExperimentError(
                f"--{name}: expected a row that has it among "
                f"{', '.join(rows)}; none does."
            )


def kept(found, changes):
    """Returns the changes that a run with given settings has.

    Args:
        found: dictionary of settings, with `"method"`.
        changes: what `from_flags` returns.

    Returns:
        Dictionary of settings.
    """
    own = {}
    for name, value in changes:
        if CHANGES[name].applies({**found, **own}):
            own[name] = value
    return own


def as_texts(changes):
    """Returns changes as texts that `from_flags` takes, by name."""
    return {
        name: ",".join(map(str, value))
        if isinstance(value, tuple)
        else str(value)
        for name, value in changes
    }

"""What the value of a setting on the command line can be."""

import math
import typing


class Kind(typing.NamedTuple):
    """What a value can be.

    Attributes:
        parse: function from a text to a value; raises ValueError.
        expected: what it takes, in words.
    """

    parse: typing.Callable
    expected: str


def _count(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _counts(text, number=None):
    found = tuple(_count(part) for part in text.split(","))
    if number not in (None, len(found)):
        raise ValueError
    return found


def _number(text, lowest=-math.inf, highest=math.inf):
    value = float(text)
    if not lowest < value < highest:
        raise ValueError
    return value


def one_of(choices):
    """Returns the kind of a dictionary from texts to their values."""

    def parse(text):
        if text not in choices:
            raise ValueError
        return choices[text]

    return Kind(parse, f"one of {', '.join(choices)}")


def texts(*choices):
    """Returns the kind of some texts."""
    return one_of({choice: choice for choice in choices})


COUNT = Kind(_count, "a positive integer")
COUNTS = Kind(_counts, "positive integers, as in 64,256,16")
THREE = Kind(
    lambda text: _counts(text, 3), "three positive integers, as in 20,50,500"
)
NUMBER = Kind(_number, "a finite number")
POSITIVE = Kind(lambda text: _number(text, 0.0), "a finite number > 0")
SHARE = Kind(lambda text: _number(text, 0.0, 1.0), "a number between 0 and 1")
BOOL = one_of({"true": True, "false": False})

"""Fields of a Markdown page that a command fills.

A field is a text between two comments, which no reader sees:

    <!-- results: value mnist_methods/bbh error_percent -->0.87<!-- /results -->

What stands between them is written by the command that the first comment
names, so that no figure on a page is typed by hand.
"""

import difflib
import re

from experiments.errors import ExperimentError

_FIELD = re.compile(
    r"<!-- results: (?P<call>[^\n]*?) -->(?P<text>.*?)<!-- /results -->",
    re.DOTALL,
)
_MARK = re.compile(r"<!-- (?:results:|/results)")


def has_any(text):
    """Returns whether a page has a mark of a field."""
    return _MARK.search(text) is not None


def fill(text, functions, name):
    """Fills the fields of a page.

    Args:
        text: the page.
        functions: dictionary from the first word of a field to a function
            that takes the others, texts, and returns the field's text. One of
            several lines becomes a block of its own.
        name: of the page, for messages.

    Returns:
        The page, filled.

    Raises:
        ExperimentError: if a mark has no partner, or a field is not known or
            cannot be filled, with its line.
    """

    def filled(match):
        call = match["call"]
        where = f"{name}:{text.count(chr(10), 0, match.start()) + 1}"
        if _MARK.search(match["text"]):
            raise ExperimentError(
                f"{where}: expected <!-- /results --> after {call!r}; got "
                "another field."
            )
        first, *others = call.split() or [""]
        if first not in functions:
            near = difflib.get_close_matches(first, functions, 1, 0)
            raise ExperimentError(
                f"{where}: expected one of {', '.join(functions)}; got "
                f"{first!r}. Did you mean {near[0]!r}?"
            )
        try:
            content = functions[first](*others)
        except (ExperimentError, TypeError, ValueError, KeyError) as error:
            raise ExperimentError(f"{where}: {call}: {error}") from error
        starts_line = text[: match.start()].rpartition("\n")[2].strip() == ""
        if "\n" not in content and starts_line:
            # Markdown would end the paragraph there.
            raise ExperimentError(
                f"{where}: expected a word before {call!r} on its line; got "
                "none."
            )
        if "\n" in content:
            content = f"\n\n{content.strip()}\n\n"
        return f"<!-- results: {call} -->{content}<!-- /results -->"

    left = _FIELD.sub("", text)
    stray = _MARK.search(left)
    if stray:
        raise ExperimentError(
            f"{name}: expected each <!-- results: ... --> on a line, and "
            "<!-- /results --> after it; got one without the other."
        )
    return _FIELD.sub(filled, text)

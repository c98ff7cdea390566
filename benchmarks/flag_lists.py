"""Flags that are lists: what is wrong in one is told before all else."""

from absl import flags

# They are in the --help of the command that has them.
flags.disclaim_key_flags()


def names(name, default, known, text, fewest=0, **here):
    """Defines a list of names.

    Args:
        name: the flag's.
        default: list of texts.
        known: what may be among them.
        text: the flag's help.
        fewest: how many there are at least.
        **here: other arguments of `absl.flags.DEFINE_list`.

    Returns:
        The flag's holder.
    """

    def check(value):
        unknown = [one for one in value if one not in known]
        if unknown or len(value) < fewest:
            raise flags.ValidationError(
                f"Expected some of {', '.join(known)}; got "
                f"{', '.join(unknown) or 'none'}."
            )
        return True

    return _define(name, default, text, check, here)


def numbers(name, default, text, kind, lowest=None, **here):
    """Defines a list of numbers, which stay texts.

    Args:
        name: the flag's.
        default: list of texts.
        text: the flag's help.
        kind: `int` or `float`.
        lowest: what none may be below; None for any number.
        **here: other arguments of `absl.flags.DEFINE_list`.

    Returns:
        The flag's holder.
    """

    def check(value):
        wrong = [one for one in value if not _is_number(one, kind, lowest)]
        if wrong or not value:
            what = "integers" if kind is int else "numbers"
            limit = "" if lowest is None else f" of at least {lowest}"
            raise flags.ValidationError(
                f"Expected {what}{limit}; got {', '.join(wrong) or 'none'}."
            )
        return True

    return _define(name, default, text, check, here)


def _define(name, default, text, check, here):
    holder = flags.DEFINE_list(name, default, text, **here)
    flags.register_validator(holder, check)
    return holder


def _is_number(text, kind, lowest):
    try:
        number = kind(text)
    except ValueError:
        return False
    return abs(number) < float("inf") and (lowest is None or number >= lowest)

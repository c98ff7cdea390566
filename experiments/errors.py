"""What stops an experiment, told in one line."""


class ExperimentError(Exception):
    """A mistake in flags, files or numbers that a person can mend."""


def diverged(expected, what=""):
    """Returns the error of a training that came to no finite numbers.

    Args:
        expected: str, what was to be finite: `"finite predictions"`.
        what: str, what was trained, if others do not say so.
    """
    where = f"{what}: " if what else ""
    return ExperimentError(
        f"{where}expected {expected}; training diverged. A smaller learning "
        "rate may do."
    )

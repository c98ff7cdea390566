"""Numbers of several runs as texts."""

import numpy as np

from experiments.reporting import tables


def finite(by_run):
    """Returns the values of a dictionary that are not None."""
    return [value for value in by_run.values() if value is not None]


def cell(by_run, digits=3):
    """Writes mean ± standard deviation, and how many runs there are.

    Args:
        by_run: dictionary from runs to values, None where one diverged.
        digits: digits after the point.
    """
    if not by_run:
        return ""
    values = finite(by_run)
    if not values:
        return f"diverged ({len(by_run)})"
    text = _signed(tables.format_mean(values, digits))
    count = f"{len(values)}"
    if len(values) < len(by_run):
        count += f"; {len(by_run) - len(values)} diverged"
    return f"{text} ({count})"


def difference(ours, theirs, digits=1):
    """Writes a mean difference ± its standard error over common runs.

    Args:
        ours, theirs: dictionaries from runs to shares; points are written.
        digits: digits after the point.
    """
    both = [
        run
        for run in sorted({*ours} & {*theirs})
        if None not in (ours[run], theirs[run])
    ]
    if not both:
        return ""
    each = 100.0 * np.array([ours[run] - theirs[run] for run in both])
    text = _signed(f"{each.mean():+.{digits}f}")
    if len(both) > 1:
        error = each.std(ddof=1) / np.sqrt(len(both))
        text += f" ± {error:.{digits}f}"
    return text


def _signed(text):
    return text.replace("-", "−")

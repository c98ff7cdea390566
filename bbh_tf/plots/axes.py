"""Axes to draw into."""


def given_or_new(ax):
    """Returns axes, or those of a new figure.

    Args:
        ax: `matplotlib.axes.Axes`, or None.

    Raises:
        ImportError: if matplotlib is not installed.
    """
    # Also where there are axes: what draws needs more of matplotlib.
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f"Plots need matplotlib ({error}): pip install bbh_tf[plots]"
        ) from error
    return pyplot.subplots()[1] if ax is None else ax


def check_kind(value, kind, name):
    """Refuses what is not of a class.

    Raises:
        ValueError: naming what came.
    """
    if not isinstance(value, kind):
        raise ValueError(
            f"{name}: expected a {kind.__name__}, got a {type(value).__name__}."
        )

"""A function and how uncertain it is."""

import numpy as np

from bbh_tf.plots import axes
from bbh_tf.uncertainty import checks

# Darkest around the mean, and each band out by so much lighter.
_DARKEST, _LIGHTER = 0.42, 0.6


def predictive_bands(
    x, mean, std, widths=(1, 2, 3), ax=None, color="C0", label=None
):
    """Draws a mean over a number, and bands of standard deviations around it.

    Args:
        x: array-like, `(points,)` or `(points, 1)`, in any order.
        mean: array-like of that shape.
        std: array-like of that shape: of the function (`"epistemic_std"`), or
            of the labels (`"std"`).
        widths: how many standard deviations the bands reach, from the
            narrowest on.
        ax: `matplotlib.axes.Axes` to draw into; None for new ones.
        color: of line and bands, as matplotlib has it.
        label: what a legend is to call the mean; the bands are called by
            their widths.

    Returns:
        The axes.

    Raises:
        ValueError: if the shapes do not match, a number is not finite, one of
            `std` is below 0, or `widths` are not above 0 and growing.
        ImportError: if matplotlib is not installed.

    Example:
    ```python
    bbh_tf.plots.predictive_bands([0.0, 1.0], [0.0, 0.5], [0.1, 0.3])
    ```
    """
    x, mean, std = _checked(x, mean, std)
    if np.size(widths):
        widths = checks.check_floats(widths, "widths")
    widths = np.ravel(widths).tolist()
    edges = [0.0, *widths]
    if not widths or any(
        not inner < outer for inner, outer in zip(edges, edges[1:])
    ):
        raise ValueError(
            f"widths: expected numbers above 0 that grow, got {widths}."
        )
    ax = axes.given_or_new(ax)
    for number, (inner, width) in enumerate(zip(edges, widths)):
        style = {
            "color": color,
            "alpha": _DARKEST * _LIGHTER**number,
            "linewidth": 0,
        }
        # One beside the other: laid over each other they would add up.
        ax.fill_between(
            x,
            mean + inner * std,
            mean + width * std,
            label=f"± {width:g} std",
            **style,
        )
        ax.fill_between(x, mean - width * std, mean - inner * std, **style)
    ax.plot(x, mean, color=color, linewidth=1.8, label=label)
    return ax


def _checked(x, mean, std):
    arrays = []
    for name, values in (("x", x), ("mean", mean), ("std", std)):
        values = checks.check_floats(values, name)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != 1 or (arrays and len(values) != len(arrays[0])):
            raise ValueError(
                f"{name}: expected shape (points,) or (points, 1), the same "
                f"for x, mean and std; got {np.shape(values)}."
            )
        arrays.append(values)
    if arrays[2].min() < 0:
        raise ValueError(
            f"std: expected numbers of at least 0, got {arrays[2].min():.6g}."
        )
    order = np.argsort(arrays[0], kind="stable")
    return [array[order] for array in arrays]

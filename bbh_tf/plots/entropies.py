"""How sure a model is of several kinds of examples."""

import itertools

import numpy as np

from bbh_tf import checks as counts
from bbh_tf.plots import axes
from bbh_tf.uncertainty import checks

_NUM_BINS = 30
_ROUND_OFF = 1e-5


def entropy_histograms(entropies, num_classes, ax=None, colors=None):
    """Draws histograms of predictive entropies over one another.

    Args:
        entropies: dictionary from names, for the legend, to array-likes
            `(examples,)`, nats.
        num_classes: number of classes: its logarithm is the right end.
        ax: `matplotlib.axes.Axes` to draw into; None for new ones.
        colors: list of a colour for each, as matplotlib has them; None for
            its cycle.

    Returns:
        The axes, in per cent of each kind's examples.

    Raises:
        ValueError: if entropies are not finite numbers `(examples,)` up to
            the right end; if there is no dictionary of them, or only one
            class.
        ImportError: if matplotlib is not installed.

    Example:
    ```python
    bbh_tf.plots.entropy_histograms(
        {"digits": [0.0, 0.1], "letters": [1.9, 0.7]}, num_classes=10
    )
    ```
    """
    if not counts.is_count(num_classes, fewest=2):
        raise ValueError(
            "num_classes: expected an integer of at least 2, got "
            f"{num_classes!r}."
        )
    if not hasattr(entropies, "items") or not entropies:
        raise ValueError(
            "entropies: expected a dictionary from names to arrays, not an "
            f"empty one; got a {type(entropies).__name__}."
        )
    end = np.log(num_classes)
    checked = {
        name: _checked(values, name, num_classes, end)
        for name, values in entropies.items()
    }
    ax = axes.given_or_new(ax)
    if isinstance(colors, str):
        colors = [colors]
    colors = colors or [f"C{number}" for number in range(len(checked))]
    for (name, values), color in zip(checked.items(), itertools.cycle(colors)):
        ax.hist(
            np.minimum(values, end),
            np.linspace(0, end, _NUM_BINS + 1),
            weights=np.full(len(values), 100 / len(values)),
            color=color,
            alpha=0.6,
            label=name,
        )
    ax.set(xlabel="predictive entropy, nats", ylabel="share of examples, %")
    ax.legend(frameon=False)
    return ax


def _checked(values, name, num_classes, end):
    values = checks.check_vector(values, name)
    # float32's round-off may take them beyond it.
    if values.min() < 0 or values.max() > end + _ROUND_OFF:
        raise ValueError(
            f"{name}: expected entropies from 0 to log({num_classes}) = "
            f"{end:.6g} nats, got {values.min():.6g} to {values.max():.6g}."
        )
    return values

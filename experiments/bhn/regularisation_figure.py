"""Figure 3: test errors of the trials of each method."""

import numpy as np
from matplotlib import pyplot

from experiments.bhn import trials
from experiments.reporting import figures

CAPTION = (
    "Test errors of single trials (dots), their quartiles and range (boxes). "
    "Left after the last epoch, right at the epoch of the lowest validation "
    "error."
)
_WHEN = {"last": "last epoch", "best": "best validation"}


def write(found, folder):
    """Draws both boxes of each method.

    Args:
        found: what `trials.Trials.found` returns.
        folder: a `pathlib.Path`.

    Returns:
        The figure's path.
    """
    pairs = trials.by_method(found)
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            1, 2, figsize=(9, 1.2 + 0.42 * len(pairs)), sharex=True, sharey=True
        )
        for axis, (key, title) in zip(axes, _WHEN.items()):
            for place, (method, group) in enumerate(pairs):
                errors = [one["measures"][key]["error"] for one in group]
                _box(axis, place, errors, method.color)
            axis.set_title(title, loc="left")
            axis.set_xlabel("test error, %")
            axis.grid(axis="x", color="0.9")
        axes[0].set_yticks(range(len(pairs)), [m.title for m, _ in pairs])
        axes[0].invert_yaxis()
        path = folder / "regularisation.png"
        figures.save(figure, path)
    return path


def _box(axis, place, errors, color):
    if len(errors) > 2:
        axis.boxplot(
            [errors],
            positions=[place],
            orientation="horizontal",
            widths=0.55,
            whis=(0, 100),
            manage_ticks=False,
            medianprops={"color": color},
            boxprops={"color": color},
            whiskerprops={"color": color},
            capprops={"color": color},
        )
    spread = np.linspace(-0.12, 0.12, len(errors)) if len(errors) > 1 else [0]
    axis.plot(
        errors,
        place + np.asarray(spread),
        "o",
        color=color,
        markersize=4,
        alpha=0.7,
    )

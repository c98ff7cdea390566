"""Figure 5: accuracy, scores and detection against the step."""

import numpy as np
from matplotlib import pyplot

from experiments.bhn import adversarial_table
from experiments.bhn import trials
from experiments.reporting import figures
from experiments.reporting import legends

CAPTION = (
    "Against how far each pixel moves, mean over the trials: accuracy, mean "
    "BALD and mean STD, and the AUROCs that tell moved images from clean ones "
    "and wrong answers from right ones, by BALD (full) and by maximum entropy "
    "(dotted). Above the gradient of one draw, below that of the averaged "
    "prediction."
)
_PANELS = (
    ("accuracy", [("accuracy", None)]),
    ("BALD, nats", [("scores", "bald")]),
    ("mean STD", [("scores", "mean_std")]),
    (
        "adversaries, AUROC",
        [("adversaries", "bald"), ("adversaries", "max_entropy")],
    ),
    ("errors, AUROC", [("errors", "bald"), ("errors", "max_entropy")]),
)
_ROWS = {"one_draw": "gradient of one draw", "average": "of the average"}
_STYLES = {None: "-", "bald": "-", "mean_std": "-", "max_entropy": ":"}


def write(found, folder):
    """Draws a row of panels for each attack.

    Args:
        found: what `trials.Trials.found` returns.
        folder: a `pathlib.Path`.

    Returns:
        The figure's path.
    """
    attacks = list(adversarial_table.TITLES)
    pairs = trials.by_method(found)
    with pyplot.rc_context(figures.STYLE):
        figure, axes = pyplot.subplots(
            len(attacks),
            len(_PANELS),
            figsize=(14, 5.4),
            sharex=True,
            sharey="col",
        )
        for row, attack in zip(axes, attacks):
            steps = [x["epsilon"] for x in found[0]["measures"][attack]]
            for axis, (title, lines) in zip(row, _PANELS):
                for method, group in pairs:
                    for what, score in lines:
                        _line(axis, steps, group, attack, what, score, method)
                axis.set_title(title, loc="left")
                # A step of 0 has its place on this axis, too.
                axis.set_xscale("symlog", linthresh=0.01)
                axis.set_xticks(
                    [0, 0.01, 0.1, 0.5], ["0", "0.01", "0.1", "0.5"]
                )
                axis.grid(color="0.92")
            row[0].set_ylabel(_ROWS[attack])
        for axis in axes[-1]:
            axis.set_xlabel("step")
        legends.outside(figure, *axes[0, 0].get_legend_handles_labels())
        path = folder / "adversarial.png"
        figures.save(figure, path)
    return path


def _line(axis, steps, group, attack, what, score, method):
    values = adversarial_table.curve(group, attack, what, score)
    known = np.isfinite(values).any(axis=0)
    axis.plot(
        np.array(steps)[known],
        np.nanmean(values[:, known], axis=0),
        _STYLES[score],
        color=method.color,
        label=None if score == "max_entropy" else method.title,
    )

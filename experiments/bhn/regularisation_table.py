"""The numbers of Figure 3 as a table."""

import numpy as np

from experiments.bhn import trials
from experiments.reporting import tables

CAPTION = (
    "Mean ± standard deviation over the trials. Test errors after the last "
    "epoch, and at the epoch of the lowest validation error, which that error "
    "chose; the NLL of test images and the KL (nats, of the scales) after the "
    "last."
)
HEADING = [
    "",
    "trials",
    "test error %, last epoch",
    "test error %, best validation",
    "its epoch",
    "validation error %, last epoch",
    "NLL",
    "KL",
    "seconds",
]


def rows(found):
    """Returns rows of texts, by method.

    Args:
        found: what `trials.Trials.found` returns.
    """
    lines = []
    for method, group in trials.by_method(found):
        measures = [one["measures"] for one in group]
        lines.append(
            [
                method.title,
                str(len(group)),
                tables.format_mean([x["last"]["error"] for x in measures], 2),
                tables.format_mean([x["best"]["error"] for x in measures], 2),
                f"{np.median([x['best']['epoch'] for x in measures]):.0f}",
                tables.format_mean(
                    [x["validation"][-1][1] for x in measures], 2
                ),
                tables.format_mean([x["last"]["nll"] for x in measures], 3),
                "–"
                if method.flow is None
                else f"{np.mean([x['kl'] for x in measures]):,.0f}",
                f"{np.mean([one['seconds'] for one in group]):.0f}",
            ]
        )
    return lines

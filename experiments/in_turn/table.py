"""Errors on both tasks as a table, and what to read in it."""

from experiments import provenance
from experiments.in_turn import tasks
from experiments.reporting import tables

_COLUMNS = {
    "first": "0 to 4",
    "second": "5 to 9",
    "all": "all",
    "first_told": "0 to 4, told",
    "second_told": "5 to 9, told",
}


def lines(found):
    """Formats errors as lists of texts, the heading first.

    Args:
        found: list of dictionaries with `"trained"` and `"errors"`.
    """
    rows = [["error %", *_COLUMNS.values()]]
    for method, title in tasks.METHODS.items():
        chosen = [
            one["errors"] for one in found if one["trained"]["method"] == method
        ]
        if not chosen:
            continue
        for way, said in tasks.WAYS.items():
            rows.append(
                [
                    f"{title}, {said}",
                    *(
                        tables.format_mean([one[way][key] for one in chosen], 1)
                        for key in _COLUMNS
                    ),
                ]
            )
    return rows


def notes(settings, found):
    """Says what was run, a sentence a line."""
    seeds = sorted({one["trained"]["seed"] for one in found})
    return [
        f"{settings.dataset}, {settings.epochs} epochs a task, KL scale "
        f"{settings.kl_scale:g}, mean ± standard deviation over {len(seeds)} "
        f"seed{'s' if len(seeds) > 1 else ''}; 'told': which task an image is "
        "of, so that only its five classes compete.",
        "Fine-tuning starts from the same posterior as the one handed on; its "
        "prior is N(0, 1) again.",
        # The oldest were kept without.
        *provenance.counted(
            [one["provenance"] for one in found if "provenance" in one], "run"
        ),
    ]

"""Which rows of the paper's tables are reproduced, at the longest length."""

import dataclasses

from experiments import data_sets
from experiments import files
from experiments import paper_settings
from experiments import paper_tables
from experiments.papers import paper
from experiments.reporting import tables

# How far the mean over the seeds may be from what the paper prints.
ERROR_TOLERANCE = 0.15
AREA_TOLERANCE = 0.05
HEADING = [
    *("", "row", "epochs", "seeds", "error %", "in AUC"),
    *("outlier AUC", "reproduced"),
]
_MEASURES = ("error_percent", "in_auc", "outlier_auc")
# For what is as near as may be, but for how floats are kept.
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class Reproduction:
    """A row of a paper's table, and the longest runs of it.

    Attributes:
        table: its key.
        row: its key.
        epochs: of the longest runs, or None where there is none.
        num_seeds: how many of them there are.
        means: by `Figures`' names, `(mean, standard deviation or None)`.
        is_in_full: whether all their settings are the paper's; else they have
            fewer draws at prediction, or weights in an estimate.
    """

    table: str
    row: str
    epochs: int | None
    num_seeds: int
    means: dict
    is_in_full: bool = True

    @property
    def printed(self) -> paper.Figures:
        """What the paper prints."""
        return paper_tables.TABLES[self.table].rows[self.row].figures

    @property
    def epochs_at_length(self):
        """Epochs of a run at the paper's length."""
        return data_sets.DATASETS[_dataset(self.table)].epochs["full"]

    @property
    def is_reproduced(self):
        """Whether error and both areas are near what the paper prints."""
        return (
            self.epochs is not None
            and self.is_in_full
            and all(
                abs(self.means[key][0] - getattr(self.printed, key))
                <= tolerance + _ROUNDING
                for key, tolerance in zip(
                    _MEASURES, (ERROR_TOLERANCE, AREA_TOLERANCE, AREA_TOLERANCE)
                )
            )
        )

    def verdict(self):
        """Says whether it is reproduced, and else why not."""
        if self.epochs is None:
            return "no run of these settings"
        is_short = self.epochs < self.epochs_at_length
        if self.is_reproduced:
            return "**yes**" + (", after fewer epochs" * is_short)
        if is_short:
            return "not run at full length"
        if not self.is_in_full:
            return "not run in full: fewer draws, or weights of an estimate"
        causes = [
            paper_tables.CAUSES[place]
            for place in paper_tables.same_runs(self.table, self.row)
            if place in paper_tables.CAUSES
        ]
        return f"no: {causes[0] if causes else 'the cause is not known'}"

    def cells(self):
        """Returns the texts under `HEADING`, the paper's in brackets."""
        found = paper_tables.TABLES[self.table]
        # Titles end in the paper's number.
        number = found.title.rpartition("(")[2].rstrip(")")
        cells = [number, found.rows[self.row].name]
        if self.epochs is None:
            cells += [f"0 of {self.epochs_at_length}", "0"]
        else:
            length = f"{self.epochs} of {self.epochs_at_length}"
            cells += [length, str(self.num_seeds)]
        digits = {key: digits for key, _, digits in tables.COLUMNS}
        for key in _MEASURES:
            ours = tables.format_cell(self.means.get(key), digits[key])
            cells.append(f"{ours} *({getattr(self.printed, key):.2f})*")
        return [*cells, self.verdict()]


def find(folder, names):
    """Finds the longest runs of each row that the paper prints.

    Runs count that have the paper's settings, but for their length and
    `paper_settings.OF_COST`, the whole data set and the paper's outliers. Of
    equal length those in full come first; of one seed that ran twice, the first
    by its folder's name.

    Args:
        folder: folder whose folders have results of runs, a `pathlib.Path`.
        names: keys of tables.

    Returns:
        List of `Reproduction`, in the papers' order.
    """
    runs = {}
    for path in sorted(folder.glob("*/*/seed_*/results.json")):
        result = files.read_json(path)
        config = result.get("config", {})
        if not _is_of_all(config):
            continue
        departures = paper_settings.departures(config)
        if not departures <= paper_settings.OF_COST:
            continue
        place = paper_tables.place(config)
        if config["dataset"] == _dataset(place[0]):
            length = config["epochs"], not departures
            of_row = runs.setdefault(place, {}).setdefault(length, {})
            of_row.setdefault(config["seed"], result)
    return [
        _of_row(runs, name, key)
        for name in names
        for key, row in paper_tables.TABLES[name].rows.items()
        if row.figures is not None
    ]


def _is_of_all(config):
    """Whether a run saw the whole data set, and the paper's outliers."""
    return (
        "method" in config
        and config["scale"] != "smoke"
        and config["outliers"] in tables.PAPERS_OUTLIERS
    )


def _of_row(runs, table, row):
    longest, chosen = (None, True), {}
    # A row's own runs come before those of the table that it shares them with.
    places = sorted(
        paper_tables.same_runs(table, row), key=lambda x: x != (table, row)
    )
    for place in places:
        for length, found in runs.get(place, {}).items():
            if not chosen or length > longest:
                longest, chosen = length, found
    means = {}
    if chosen:
        ((_, means),) = tables.rows(list(chosen.values()))
    epochs, is_in_full = longest
    return Reproduction(table, row, epochs, len(chosen), means, is_in_full)


def _dataset(table):
    return paper_tables.TABLES[table].datasets[-1]

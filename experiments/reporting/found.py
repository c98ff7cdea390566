"""What experiments left in a folder."""

import pathlib
import typing

from experiments import files
from experiments import paper_tables
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from experiments.reporting import tables


class Found(typing.NamedTuple):
    """The contents of an output folder; some may be empty.

    Attributes:
        folder: the folder, a text.
        results: result dictionaries of runs, in the paper's order of rows,
            then by seed.
        exhibit: see `exhibit.read`.
    """

    folder: str
    results: list
    exhibit: dict | None

    def by_table(self):
        """Returns pairs of a `paper_tables.Table` and its results."""
        pairs = []
        for key, table in paper_tables.TABLES.items():
            chosen = [
                result
                for result in self.results
                if paper_tables.place(result["config"])[0] == key
            ]
            if chosen:
                pairs.append((table, chosen))
        return pairs


def find(folder):
    """Reads what is in a folder.

    Returns:
        A `Found`.

    Raises:
        ExperimentError: if there is nothing, or it cannot be read.
    """
    paths = sorted(pathlib.Path(folder).glob("*/seed_*/results.json"))
    found = Found(folder, _sorted(paths), exhibit.read(folder))
    if not (found.results or found.exhibit):
        raise ExperimentError(
            f"--runs: expected a folder with results of runs; got {folder}."
        )
    return found


def _sorted(paths):
    pairs = []
    for path in paths:
        found = files.read_json(path)
        try:
            pairs.append((tables.order(found), found))
        except (KeyError, TypeError, ValueError) as error:
            raise ExperimentError(
                f"{path}: expected the results of a run of a table; lacks, or "
                f"does not know, {error}."
            ) from error
    return [found for _, found in sorted(pairs, key=lambda pair: pair[0])]

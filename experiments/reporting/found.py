"""What experiments left in a folder."""

import itertools
import pathlib
import typing

from experiments import files
from experiments import paper_tables
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from experiments.reporting import tables

_KEYS = (
    *("measures", "seconds", "settings", "final", "provenance", "outliers"),
    *("num_train", "num_test", "num_outliers", "num_parameters"),
)


class Found(typing.NamedTuple):
    """The contents of an output folder; some may be empty.

    Attributes:
        folder: the folder, a text.
        results: result dictionaries of runs, in the paper's order of rows,
            then by seed.
        exhibits: pairs of a folder, a text, and what `exhibit.read` has of it:
            the folder itself, then those in it.
    """

    folder: str
    results: list
    exhibits: list

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


def find(folder, whole=False):
    """Reads what is in a folder.

    Args:
        folder: output folder of an experiment, or a folder of such folders,
            one for each task of a job array, whose runs count as of one.
        whole: whether results must have all that a page shows of them.

    Returns:
        A `Found`.

    Raises:
        ExperimentError: if there is nothing, it cannot be read, or two tasks
            did the same.
    """
    root = pathlib.Path(folder)
    paths = sorted(root.glob("*/seed_*/results.json"))
    paths += sorted(root.glob("*/*/seed_*/results.json"))
    runs = list(map(_whole if whole else read, paths))
    found = Found(folder, _sorted(folder, runs), exhibits(folder))
    if not (found.results or found.exhibits):
        raise ExperimentError(
            f"--runs: expected a folder with results of runs; got {folder}."
        )
    return found


def exhibits(folder):
    """Returns the findings in a folder and in those right below it."""
    below = sorted(pathlib.Path(folder).glob(f"*/{exhibit.FILE}"))
    places = [pathlib.Path(folder), *(path.parent for path in below)]
    pairs = [(str(place), exhibit.read(place)) for place in places]
    return [(place, finding) for place, finding in pairs if finding]


def read(path):
    """Reads the results of a run.

    Returns:
        `(place, results)`: see `tables.order`; a dictionary.

    Raises:
        ExperimentError: if they are not those of a run of a table.
    """
    found = files.read_json(path)
    try:
        return tables.order(found), found
    except (KeyError, TypeError, ValueError) as error:
        raise ExperimentError(
            f"{path}: expected the results of a run of a table; lacks, or "
            f"does not know, {error}."
        ) from error


def _whole(path):
    """Reads the results of a run, of which a page shows all."""
    place, found = read(path)
    lacking = sorted({*_KEYS} - found.keys())
    if lacking:
        raise ExperimentError(
            f"{path}: expected the results of a run of a table; lacks "
            f"{', '.join(lacking)}."
        )
    measures = found["measures"]
    if not isinstance(measures, dict):
        measures = {"measures": measures}
    for name, value in {**measures, "seconds": found["seconds"]}.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ExperimentError(
                f"{path}: expected a number for {name}; got {value!r}."
            )
    return place, found


def _sorted(folder, pairs):
    pairs = sorted(pairs, key=lambda pair: pair[0])
    for (place, first), (next_place, second) in itertools.pairwise(pairs):
        run = paper_tables.run_name(first["config"])
        if place == next_place:
            raise ExperimentError(
                f"--runs: expected each run once; {folder} has several of "
                f"{run}. Name the folders of other settings one by one."
            )
        if place[:-1] == next_place[:-1]:
            _check_alike(folder, first["config"], second["config"])
    return [found for _, found in pairs]


def _check_alike(folder, one, other):
    """Refuses runs of a row that differ in more than the seed."""
    for name in sorted({*one} & {*other} - {"seed", "changed"}):
        if one[name] != other[name]:
            raise ExperimentError(
                f"--runs: expected runs of one row that differ in their seed "
                f"only; {folder} has {paper_tables.run_name(one)} with "
                f"{name}={one[name]} and {paper_tables.run_name(other)} with "
                f"{name}={other[name]}."
            )

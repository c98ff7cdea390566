"""Which rows of the tables lack a run at the papers' length."""

import pathlib
import typing

from experiments import data_sets
from experiments import files
from experiments import paper_settings
from experiments import paper_tables
from experiments.errors import ExperimentError

# Most valuable first: what the paper is about, then what it is compared with.
_FIRST_ROWS = ("bbh", "mnf", "ensemble")
_ORDER = (
    ("mnist_methods", 0),
    ("mnist_methods", 1),
    ("mnist_methods", 2),
    ("mnist_architectures", 0),
    ("mnist_noise", 0),
    ("mnist_divergences", 0),
    ("cifar5_methods", 0),
)


class Batch(typing.NamedTuple):
    """Runs of one table and seed.

    Attributes:
        table: one of `paper_tables.TABLES`.
        seed: the seed of all.
        done: keys of rows that have a run at length.
        left: keys of those that have none, most valuable first.
    """

    table: str
    seed: int
    done: tuple
    left: tuple


def find(folder, scale, dataset=None, **asked):
    """Compares results with what the tables ask for.

    A run counts where it has the scale's epochs and the paper's settings. It
    counts for each row that it is a run of: tables share rows.

    Args:
        folder: folder whose folders have results of runs.
        scale: `"full"`, `"short"` or `"smoke"`.
        dataset: data set in place of the first of a table's that is no
            stand-in; tables that do not take it are left out.
        **asked: settings that are asked for in place of the paper's; see
            `paper_settings.is_the_papers`.

    Returns:
        List of `Batch`, most valuable first.

    Raises:
        ExperimentError: if the folder is none.
    """
    if not pathlib.Path(folder).is_dir():
        raise ExperimentError(
            f"--results: expected a folder of results; got {folder}."
        )
    done = set()
    for path in sorted(pathlib.Path(folder).glob("*/*/seed_*/results.json")):
        config = files.read_json(path).get("config", {})
        if "method" in config and _is_at_length(config, scale, asked):
            place = paper_tables.place(config)
            done.add((*place, config["seed"], config["dataset"]))
    batches = []
    for table, seed in _ORDER:
        datasets = paper_tables.TABLES[table].datasets
        wanted = dataset or datasets[-1]
        if wanted not in datasets:
            continue
        rows = sorted(paper_tables.TABLES[table].rows, key=_value)
        is_done = [
            any(
                (*place, seed, wanted) in done
                for place in paper_tables.same_runs(table, row)
            )
            for row in rows
        ]
        batches.append(
            Batch(
                table,
                seed,
                tuple(row for row, x in zip(rows, is_done) if x),
                tuple(row for row, x in zip(rows, is_done) if not x),
            )
        )
    return batches


def _value(row):
    """Rows that come first have the least; others keep their order."""
    known = row in _FIRST_ROWS
    return _FIRST_ROWS.index(row) if known else len(_FIRST_ROWS)


def _is_at_length(config, scale, asked):
    epochs = data_sets.DATASETS[config["dataset"]].epochs[scale]
    return (
        config.get("scale") == scale
        and config.get("epochs") == epochs
        and paper_settings.is_the_papers(config, **asked)
    )

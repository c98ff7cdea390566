"""What a command leaves for the report that is no table of the paper.

A folder's `exhibit.json` names pictures in that folder, tables and sentences,
so that `experiments.report` shows findings that it knows nothing of.
"""

import pathlib
import typing

from experiments import files
from experiments import provenance
from experiments.errors import ExperimentError
from experiments.reporting import tables as tables_of_runs

FILE = "exhibit.json"
_KEYS = ("title", "figures", "tables", "notes", "command", "provenance")


class Figure(typing.NamedTuple):
    """A picture.

    Attributes:
        file: name of a PNG in the folder.
        caption: what to see in it.
    """

    file: str
    caption: str


class Table(typing.NamedTuple):
    """A table of texts.

    Attributes:
        caption: what it is about.
        heading: list of the columns' names; the first may be empty.
        rows: list of lists of texts, as long as the heading.
    """

    caption: str
    heading: list
    rows: list


def write(folder, title, figures, tables, notes, command):
    """Writes a finding, after its pictures.

    Args:
        folder: the command's output folder, a path.
        title: what it shows, with the paper's number.
        figures: list of `Figure`.
        tables: list of `Table`.
        notes: list of sentences.
        command: the command that makes it again.
    """
    folder = pathlib.Path(folder)
    _check(folder, figures, tables)
    files.write_json(
        folder / FILE,
        {
            "title": title,
            "figures": [figure._asdict() for figure in figures],
            "tables": [table._asdict() for table in tables],
            "notes": list(notes),
            "command": command,
            "provenance": provenance.describe(),
        },
    )


def read(folder):
    """Reads a folder's finding.

    Returns:
        A dictionary: `"title"`, `"figures"` (list of `Figure`), `"tables"`
        (list of `Table`), `"notes"`, `"command"` and `"provenance"`; None
        where the folder has none.

    Raises:
        ExperimentError: if it is not as `write` writes it.
    """
    path = pathlib.Path(folder) / FILE
    if not path.exists():
        return None
    found = files.read_json(path)
    try:
        exhibit = {
            **{key: found[key] for key in _KEYS},
            "figures": [Figure(**figure) for figure in found["figures"]],
            "tables": [Table(**table) for table in found["tables"]],
        }
        provenance.facts(exhibit["provenance"])
        _check(path.parent, exhibit["figures"], exhibit["tables"])
    except (TypeError, KeyError, ValueError) as error:
        raise ExperimentError(
            f"{path}: expected a finding with {', '.join(_KEYS)}; {error}"
        ) from error
    return exhibit


def show(folder):
    """Prints a folder's finding: tables, each under what it is about, notes,
    and where the pictures are.
    """
    folder = pathlib.Path(folder)
    found = read(folder)
    for table in found["tables"]:
        print(table.caption)
        print(tables_of_runs.aligned([table.heading, *table.rows]))
        print()
    print(*found["notes"], sep="\n")
    for figure in found["figures"]:
        print(f"Figure: {folder / figure.file}")


def _check(folder, figures, tables):
    for figure in figures:
        if not (folder / figure.file).is_file():
            raise ValueError(f"Expected a picture {folder / figure.file}.")
    for table in tables:
        for row in [table.heading, *table.rows]:
            is_text = all(isinstance(cell, str) for cell in row)
            if not row or not is_text or len(row) != len(table.heading):
                raise ValueError(
                    "Expected rows of texts, as long as the heading "
                    f"{table.heading}; got {row}."
                )

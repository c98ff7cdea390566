r"""Tries the whole chain of exported runs, row by row, on the CPU.

python -m experiments.export_dry_run --data_dir=<TFDS folder> \
    --output_dir=runs/dry_run

Each row of the tables is exported at smoke length (one epoch of 200 examples),
run by JAX in a process without TensorFlow, and imported (docs/accelerator.md).
MNIST's tables run on the digits, which need no folder of data. A row that does
not come back is told, and keeps no other from being tried; rows that are done
are not done again.
"""

import pathlib
import sys

from absl import flags

from experiments import command_line
from experiments import files
from experiments import flag_lists
from experiments import lazy
from experiments import paper_tables
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from experiments.reporting import tables as text_tables

dry_run = lazy.import_module("experiments.exporting.dry_run")

_TABLES = flags.DEFINE_list(
    "tables", list(paper_tables.TABLES), "Which tables."
)
_ROWS = flags.DEFINE_list("rows", [], "Which rows; none: all.")
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of prepared TFDS data; none: TFDS' own."
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "Where to work; what is done there stays.",
    required=True,
)
_HEADING = ["table", "row", "MiB", "export CPU s", "compile CPU s", "run s"]
_KEYS = (
    *("mebibytes", "export_cpu_seconds"),
    *("compile_cpu_seconds", "run_seconds"),
)
_CAPTION = (
    "Each row at smoke length. MiB are the exported folder's, with the data; "
    "seconds are those of processors for exporting and for compiling both "
    "programs, and of the clock for running an epoch and the predictions."
)


def run():
    """Tries all rows, prints a line of each, and leaves a table."""
    rows = [
        (table, row)
        for table in flag_lists.names(_TABLES, paper_tables.TABLES)
        for row in paper_tables.TABLES[table].rows
        if not _ROWS.value or row in _ROWS.value
    ]
    unknown = set(_ROWS.value) - {row for _, row in rows}
    if unknown:
        raise ExperimentError(
            f"--rows: expected rows of --tables; got "
            f"{', '.join(sorted(unknown))}."
        )
    print("Starting TensorFlow.", file=sys.stderr, flush=True)
    lines, failures = [], []
    with files.only_user(_OUTPUT_DIR.value) as folder:
        for table, row in rows:
            try:
                found = dry_run.run_row(
                    table,
                    row,
                    pathlib.Path(folder) / table / row,
                    _DATA_DIR.value,
                )
            except ExperimentError as error:
                failures.append(f"{table} {row}: {error}")
                print(failures[-1], flush=True)
                continue
            lines.append([table, row, *(f"{found[key]:.1f}" for key in _KEYS)])
            print(*lines[-1], flush=True)
        if lines:
            exhibit.write(
                folder,
                "Dry run of exported runs",
                [],
                [exhibit.Table(_CAPTION, _HEADING, lines)],
                [],
                command_line.command(),
            )
    print(text_tables.aligned([_HEADING, *lines]))
    if failures:
        raise ExperimentError(
            f"{len(failures)} of {len(rows)} rows did not come back: "
            + "; ".join(failures)
        )


if __name__ == "__main__":
    command_line.start(run)

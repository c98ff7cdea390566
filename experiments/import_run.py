r"""Takes in what `experiments.run_exported` made, as if it had been made here.

python -m experiments.import_run --exported=exported --out=outcome \
    --output_dir=runs/mnist_methods

Writes of each run what a run writes here, all but its checkpoint, by the same
code; `experiments.report` reads it. Runs that are not done yet are left out.
"""

import sys

from absl import flags

from experiments import command_line
from experiments import lazy

outcome = lazy.import_module("experiments.exporting.outcome")
table_notes = lazy.import_module("experiments.reporting.table_notes")
tables = lazy.import_module("experiments.reporting.tables")

_EXPORTED = flags.DEFINE_string(
    "exported", None, "Folder that export_run wrote.", required=True
)
_OUT = flags.DEFINE_string(
    "out", None, "Folder that run_exported wrote.", required=True
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for the results.", required=True
)


def run():
    """Imports all runs that are done, and prints their table."""
    # Importing TensorFlow takes seconds; a wrong flag is told before.
    print("Starting TensorFlow.", file=sys.stderr, flush=True)
    results = outcome.take_in(_EXPORTED.value, _OUT.value, _OUTPUT_DIR.value)
    print(tables.text_table(results), *table_notes.notes(results), sep="\n")
    print(f"Imported: {_OUTPUT_DIR.value}")


if __name__ == "__main__":
    command_line.start(run)

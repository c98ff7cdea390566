"""Prints tables of runs that are done, beside the paper's.

python -m experiments.report --runs=runs/demo,results/mnist_methods
"""

import pathlib

from absl import flags

from experiments import command_line
from experiments import files
from experiments import tables
from experiments.errors import ExperimentError

_RUNS = flags.DEFINE_list(
    "runs", [], "Output folders of experiments, a table each."
)
_FORMAT = flags.DEFINE_enum(
    "format", "text", ["text", "markdown"], "How tables are written."
)


def results_in(folder):
    """Reads the results of all runs in an experiment's output folder.

    Returns:
        List of result dictionaries, by method in the paper's order, then seed.

    Raises:
        ExperimentError: if there is none.
    """
    results = [
        files.read_json(path)
        for path in pathlib.Path(folder).glob("*/seed_*/results.json")
    ]
    if not results:
        raise ExperimentError(
            f"--runs: expected a folder with results of runs; got {folder}."
        )
    return sorted(results, key=tables.order)


def run():
    """Prints a table for each folder."""
    if not _RUNS.value:
        raise ExperimentError("--runs: expected at least one folder; got none.")
    for index, folder in enumerate(_RUNS.value):
        results = results_in(folder)
        print("" if index == 0 else "\n", end="")
        print(f"{folder}\n")
        if _FORMAT.value == "markdown":
            print(tables.markdown_table(results))
        else:
            print(tables.text_table(results))
        print()
        for line in [*tables.notes(results), *tables.origins(results)]:
            print(line)


if __name__ == "__main__":
    command_line.start(run)

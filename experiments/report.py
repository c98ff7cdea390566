"""Prints tables of runs that are done, beside the paper's.

python -m experiments.report --runs=runs/demo,results/mnist_methods
"""

import pathlib

from absl import flags

from experiments import command_line
from experiments import files
from experiments import paper
from experiments import tables
from experiments.errors import ExperimentError

_RUNS = flags.DEFINE_list(
    "runs", [], "Output folders of experiments, a table or Figure 3 each."
)
_FORMAT = flags.DEFINE_enum(
    "format", "text", ["text", "markdown"], "How tables are written."
)


def results_in(folder):
    """Reads what an experiment wrote into its output folder.

    Returns:
        `(results, curves)`: the result dictionaries of all runs, and what
        `experiments.mnist_adversarial` found, each in the paper's order of
        rows, then by seed. One of them may be empty.

    Raises:
        ExperimentError: if both are.
    """
    found = [
        sorted(
            map(files.read_json, pathlib.Path(folder).glob(pattern)),
            key=tables.order,
        )
        for pattern in ("*/seed_*/results.json", "*/seed_*.json")
    ]
    if not any(found):
        raise ExperimentError(
            f"--runs: expected a folder with results of runs; got {folder}."
        )
    return found


def run():
    """Prints a table for each folder, and draws Figure 3 where it belongs."""
    if not _RUNS.value:
        raise ExperimentError("--runs: expected at least one folder; got none.")
    for index, folder in enumerate(_RUNS.value):
        results, curves = results_in(folder)
        print("" if index == 0 else "\n", end="")
        for table in paper.TABLES:
            rows = [r for r in results if paper.place(r["config"])[0] == table]
            if rows:
                _print_table(folder, table, rows)
        if curves:
            _print_curves(folder, curves)


def _print_table(folder, table, results):
    print(f"{paper.TABLES[table].title}: {folder}\n")
    if _FORMAT.value == "markdown":
        print(tables.markdown_table(results))
    else:
        print(tables.text_table(results))
    print()
    for line in [*tables.notes(results), *tables.origins(results)]:
        print(line)


def _print_curves(folder, curves):
    from experiments import robustness_figure

    name, _ = paper.ATTACKS[paper.data_of(curves[0]["config"])]
    print(f"Fast gradient sign method ({name}): {folder}\n")
    print(tables.robustness_table(curves))
    path = robustness_figure.write(curves, pathlib.Path(folder))
    print(f"\nFigure: {path}")


if __name__ == "__main__":
    command_line.start(run)

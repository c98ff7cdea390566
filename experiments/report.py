r"""Sets runs that are done beside the paper's: tables, figures, one page.

python -m experiments.report --runs=runs/demo,results/mnist_methods \
    --output_file=report.html

Prints tables. With `--output_file` it writes a page, one file that needs no
other: tables beside the paper's, learning curves, histograms, all pictures
found, settings and origins.
"""

from absl import flags

from experiments import command_line
from experiments import flag_checks
from experiments import lazy
from experiments.reporting import found as founds
from experiments.reporting import table_notes
from experiments.reporting import tables

report_page = lazy.import_module("experiments.reporting.report_page")

_RUNS = flags.DEFINE_list(
    "runs", [], "Output folders of experiments, each a table or a figure."
)
_FORMAT = flags.DEFINE_enum(
    "format", "text", ["text", "markdown"], "How tables are printed."
)
_OUTPUT_FILE = flags.DEFINE_string(
    "output_file",
    None,
    "Where to write the page, an .html file; none: no page.",
)


def run():
    """Prints what each folder has, and writes the page."""
    flag_checks.check(_RUNS, _RUNS.value, "at least one folder")
    path = _OUTPUT_FILE.value
    flag_checks.check(
        _OUTPUT_FILE,
        path is None or path.endswith(".html"),
        "a name that ends in .html",
    )
    every = [founds.find(folder, whole=True) for folder in _RUNS.value]
    for index, found in enumerate(every):
        print("" if index == 0 else "\n", end="")
        for table, results in found.by_table():
            _print_table(found.folder, table, results)
        for place, finding in found.exhibits:
            _print_exhibit(place, finding)
    if path is not None:
        report_page.write(path, every)
        print(f"\nPage: {path}")


def _print_table(folder, table, results):
    print(f"{table.title}: {folder}\n")
    if _FORMAT.value == "markdown":
        print(tables.markdown_table(results))
    else:
        print(tables.text_table(results))
    print()
    for line in [*table_notes.notes(results), *tables.origins(results)]:
        print(line)


def _print_exhibit(folder, exhibit):
    print(f"{exhibit['title']}: {folder}")
    for table in exhibit["tables"]:
        print(f"\n{table.caption}\n")
        print(tables.aligned([table.heading, *table.rows]))
    print()
    for line in exhibit["notes"]:
        print(line)


if __name__ == "__main__":
    command_line.start(run)

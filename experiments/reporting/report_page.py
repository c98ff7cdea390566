"""One page for everything that experiments left."""

import pathlib

from experiments import provenance
from experiments.reporting import html_page
from experiments.reporting import table_sections
from experiments.reporting import tables


def write(path, every):
    """Writes the page.

    Args:
        path: where.
        every: list of `found.Found`, in the order of the page.
    """
    page = html_page.HtmlPage("bbh_tf: results beside the paper's")
    page.notes(
        [
            "Pawlowski et al., Implicit Weight Uncertainty in Neural Networks, "
            "arXiv:1711.01297. The paper's figures are grey, its seconds those "
            "of one Titan X."
        ]
    )
    for found in every:
        for table, results in found.by_table():
            page.heading(table.title)
            table_sections.add(page, results, found.folder)
            _add_origin(page, found.folder, tables.origins(results))
        if found.exhibit:
            page.heading(found.exhibit["title"])
            _add_exhibit(page, found)
    page.write(path)


def _add_exhibit(page, found):
    folder = pathlib.Path(found.folder)
    for figure in found.exhibit["figures"]:
        page.figure((folder / figure.file).read_bytes(), figure.caption)
    for table in found.exhibit["tables"]:
        page.table(table.heading, table.rows, table.caption)
    page.notes(found.exhibit["notes"])
    made = provenance.facts(found.exhibit["provenance"])
    page.facts(
        {"folder": found.folder, "command": found.exhibit["command"], **made}
    )


def _add_origin(page, folder, origins):
    page.heading("How it was made", 3)
    page.facts({"folder": str(folder)})
    page.notes(origins)

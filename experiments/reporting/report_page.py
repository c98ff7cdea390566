"""One page for everything that experiments left."""

from experiments.reporting import exhibit_sections
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
            "arXiv:1711.01297. The paper's figures are grey. It does not say "
            "on what its seconds were taken; its authors thank for a Titan X."
        ]
    )
    for found in every:
        for table, results in found.by_table():
            page.heading(table.title)
            table_sections.add(page, results, found.folder)
            _add_origin(page, found.folder, tables.origins(results))
        for folder, finding in found.exhibits:
            exhibit_sections.add(page, finding, folder)
    page.write(path)


def _add_origin(page, folder, origins):
    page.heading("How it was made", 3)
    page.facts({"folder": str(folder)})
    page.notes(origins)

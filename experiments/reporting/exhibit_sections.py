"""The part of a page that shows a finding."""

import pathlib

from experiments import provenance


def add(page, finding, folder):
    """Adds a finding's pictures, tables, notes and origin.

    Args:
        page: an `html_page.HtmlPage`.
        finding: see `exhibit.read`.
        folder: the finding's folder, a path.
    """
    page.heading(finding["title"])
    for figure in finding["figures"]:
        picture = pathlib.Path(folder) / figure.file
        page.figure(picture.read_bytes(), figure.caption)
    for table in finding["tables"]:
        page.table(table.heading, table.rows, table.caption)
    page.notes(finding["notes"])
    page.facts(
        {
            "folder": str(folder),
            "command": finding["command"],
            **provenance.facts(finding["provenance"]),
        }
    )

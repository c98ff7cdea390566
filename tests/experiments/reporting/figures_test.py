"""Tests for figures of an experiment."""

from experiments import paper_tables
from experiments.reporting import figures


def test_no_row_has_the_colour_of_outliers():
    rows = {
        paper_tables.color_of({"table": name, "row": row, "method": row})
        for name, table in paper_tables.TABLES.items()
        for row in table.rows
    }
    assert figures._OUTLIERS not in rows

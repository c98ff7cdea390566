"""Tables of results beside the paper's, as text."""

import numpy as np

from experiments import paper_tables
from experiments import provenance
from experiments import run_config

PAPERS_OUTLIERS = ("notmnist", "classes 5 to 9")
# Key in the results, heading, digits after the point.
COLUMNS = (
    ("error_percent", "error %", 2),
    ("in_auc", "in AUC", 3),
    ("outlier_auc", "outlier AUC", 3),
    ("nll", "NLL", 3),
    ("ece", "ECE", 3),
    ("aurc_per_mille", "AURC ‰", 2),
    ("auroc", "AUROC", 3),
    ("auroc_mutual_information", "AUROC by MI", 3),
    ("seconds", "seconds", 0),
)


def columns(results):
    """Returns those of `COLUMNS` that some result has: old ones lack some."""
    return [
        column
        for column in COLUMNS
        if any(column[0] in _numbers(result) for result in results)
    ]


def _numbers(result):
    return {**result["measures"], "seconds": result["seconds"]}


def rows(results):
    """Gathers results by row.

    Args:
        results: list of result dictionaries of one table.

    Returns:
        List of `(configuration of the first, cells)`, where cells maps a
        column's key to `(mean, standard deviation or None)` over the seeds, or
        to None where a seed's result lacks it.
    """
    table = []
    for chosen in by_row(results):
        cells = {}
        for key, _, _ in COLUMNS:
            values = [_numbers(result).get(key) for result in chosen]
            cells[key] = None
            if None not in values:
                cells[key] = mean_and_spread(values)
        table.append((chosen[0]["config"], cells))
    return table


def by_row(results):
    """Splits results into lists, one for each row, in their order."""
    groups = {}
    for result in results:
        groups.setdefault(paper_tables.place(result["config"]), []).append(
            result
        )
    return list(groups.values())


def format_cell(cell, digits):
    """Writes a mean, and its standard deviation where there is one.

    Args:
        cell: `(mean, standard deviation or None)`, or None for a dash.
        digits: digits after the point.
    """
    if cell is None:
        return "–"
    mean, spread = cell
    text = f"{mean:.{digits}f}"
    return text if spread is None else f"{text} ± {spread:.{digits}f}"


def mean_and_spread(values):
    """Returns the mean of numbers, and the standard deviation of several.

    Args:
        values: numbers, at least one.

    Returns:
        `(mean, standard deviation or None)`, as `format_cell` takes them.
    """
    spread = np.std(values, ddof=1) if len(values) > 1 else None
    return float(np.mean(values)), spread


def format_mean(values, digits):
    """Writes the `mean_and_spread` of numbers; see `format_cell`."""
    return format_cell(mean_and_spread(values), digits)


def paper_cells(config):
    """Returns the paper's row as texts, by column key."""
    figures = paper_tables.row_of(config).figures
    if figures is None:
        return {}
    return {
        "error_percent": f"{figures.error_percent:.2f}",
        "in_auc": f"{figures.in_auc:.2f}",
        "outlier_auc": f"{figures.outlier_auc:.2f}",
        "seconds": f"{figures.seconds:.0f}",
    }


def order(result):
    """Sorts results by table and row, as the paper has them, then by seed."""
    table, row = paper_tables.place(result["config"])
    return (
        list(paper_tables.TABLES).index(table),
        list(paper_tables.TABLES[table].rows).index(row),
        result["config"]["seed"],
    )


def text_table(results):
    """Formats results, with the paper's figures under each row."""
    return aligned(lines(results, "  paper", "–"))


def markdown_table(results):
    """Formats results as `text_table` does, in Markdown."""
    heading, *others = lines(results, "paper", "")
    rows = [heading, ["---"] * len(heading)]
    for line in others:
        if line[0].startswith("paper"):
            line = [f"*{cell}*" if cell else "" for cell in line]
        rows.append(line)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def aligned(lines):
    """Formats lists of texts as a table whose columns are aligned."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    )


def lines(results, name_of_paper, blank):
    """Formats results as lists of texts, the heading first.

    Args:
        results: list of result dictionaries of one table.
        name_of_paper: what stands before the paper's figures.
        blank: what stands where the paper has none.
    """
    shown = columns(results)
    lines = [["", *(heading for _, heading, _ in shown)]]
    lengths = {length_of(result["config"]) for result in results}
    for config, cells in rows(results):
        name = name_of(config)
        if len(lengths) > 1:
            name += f", {length_of(config)}"
        lines.append(
            [name, *(format_cell(cells[key], d) for key, _, d in shown)]
        )
        printed = paper_cells(config)
        if printed:
            lines.append(
                [
                    f"{name_of_paper}, {paper_tables.data_of(config)}",
                    *(printed.get(key, blank) for key, _, _ in shown),
                ]
            )
    return lines


def name_of(config):
    """Returns a row's name, with what the command line changed of it.

    What has become the row's own setting since is no change any more.
    """
    parts = [paper_tables.row_of(config).name]
    changed = config.get("changed", ())
    own = run_config.own_settings(config) if changed else {}
    for setting in changed:
        value = _text(config[setting])
        if setting not in own or _text(own[setting]) != value:
            parts.append(f"{setting.replace('_', ' ')} {value}")
    return ", ".join(parts)


def _text(value):
    if isinstance(value, (list, tuple)):
        return "-".join(map(str, value))
    return str(value)


def length_of(config):
    """Says for how long a run trained."""
    if config["num_steps"] is not None:
        return f"{config['num_steps']:,} steps"
    return f"{config['epochs']} epochs"


def origins(results):
    """Says which commits on which machines made the results."""
    lines = {}
    for result in results:
        origin = provenance.origin(result["provenance"])
        name = name_of(result["config"])
        lines.setdefault(origin, []).append(name)
    return [
        f"{', '.join(dict.fromkeys(names))}: {origin}."
        for origin, names in lines.items()
    ]

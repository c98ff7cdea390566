"""What the fields of a page can say of results: tables, pictures, numbers."""

import os
import pathlib

from experiments import files
from experiments import paper_tables
from experiments import run_config
from experiments.errors import ExperimentError
from experiments.reporting import exhibit
from experiments.reporting import found as founds
from experiments.reporting import reproduction
from experiments.reporting import table_notes
from experiments.reporting import tables
from experiments.toy import runs_table as toy_runs_table


def functions(results, page):
    """Returns the fields that there are.

    Args:
        results: folder that holds the folders of results, a `pathlib.Path`.
        page: the page that the fields stand on, from which pictures are
            linked, a `pathlib.Path`.

    Returns:
        Dictionary from a field's first word to a function of the others, as
        `page_fields.fill` takes it:

        - `table FOLDER...`: a table of all runs there beside the paper's;
        - `settings FOLDER...`: what was run, folded up;
        - `value FOLDER/ROW MEASURE`: a mean, and its standard deviation;
        - `accuracy FOLDER/ROW EPOCH`: in training, %, a mean over the seeds;
        - `rows TABLE EPOCHS FOLDER`: how many rows of the paper's table ran
          for that long;
        - `gaps TABLE EPOCHS FOLDER`: their errors less the paper's;
        - `reproduction TABLE...`: all rows of the paper's tables at the longest
          length there is in any folder, and whether they are reproduced;
        - `reproduced TABLE...`: how many of these rows are, of how many;
        - `tables FOLDER PLACE...`: tables of an `exhibit.json`, all or those
          at some places, counted from 1;
        - `figures FOLDER`, `notes FOLDER`: what else it has;
        - `cell FOLDER TABLE ROW COLUMN`: a cell of its tables, of which the
          first is 1. A row is told by how it begins, a column by its heading,
          with underscores for spaces;
        - `toy_runs FOLDER...`: Bayes by Hypernet in Figure 1, a row for each
          setting.
    """
    fields = _Fields(results, page)
    return {
        name: getattr(fields, name)
        for name in (
            "table",
            "settings",
            "value",
            "accuracy",
            "rows",
            "gaps",
            "reproduction",
            "reproduced",
            "tables",
            "figures",
            "notes",
            "cell",
            "toy_runs",
        )
    }


class _Fields:
    def __init__(self, results, page):
        self._results = results
        self._page = page

    def table(self, *folders):
        every = self._runs_of(folders)
        columns = tables.columns([run for runs in every for run in runs])
        lines = [["", "epochs", "seeds", *(head for _, head, _ in columns)]]
        for runs in every:
            for row in tables.by_row(runs):
                lines += _lines_of_row(row, columns)
        return markdown(lines)

    def settings(self, *folders):
        lines = ["<details><summary>Settings, commits, machines</summary>", ""]
        for folder in folders:
            lines += [f"`{self._results.name}/{folder}`:", ""]
            for runs in self._runs_of([folder]):
                said = [*table_notes.notes(runs), *tables.origins(runs)]
                lines += [f"- {line}" for line in said]
            lines.append("")
        return "\n".join([*lines, "</details>"])

    def value(self, place, measure):
        folder, _, row = place.partition("/")
        for runs in self._runs_of([folder]):
            for config, cells in tables.rows(runs):
                if paper_tables.place(config)[1] == row:
                    digits = {key: n for key, _, n in tables.COLUMNS}
                    return tables.format_cell(cells[measure], digits[measure])
        raise ExperimentError(f"expected a row of {folder}; got {row!r}")

    def accuracy(self, place, epoch):
        found = [
            100 * metrics["accuracy"]
            for path in (self._results / place).glob("seed_*/metrics.jsonl")
            for metrics in files.read_json_lines(path)
            if str(metrics["epoch"]) == epoch
        ]
        if not found:
            raise ExperimentError(
                f"expected epoch {epoch} of {place}; got none"
            )
        return f"{sum(found) / len(found):.1f}"

    def rows(self, table, epochs, folder):
        full = self._at_length(table, int(epochs), folder)
        printed = _printed_rows(table)
        return f"{len(full)} of {len(printed)}"

    def gaps(self, table, epochs, folder):
        gaps = [
            cells["error_percent"][0]
            - paper_tables.row_of(config).figures.error_percent
            for config, cells in self._at_length(table, int(epochs), folder)
        ]
        shown = sorted({f"{gap:+.2f}".replace("-", "−") for gap in gaps})
        if len(shown) > 1:
            shown = [
                f"{gap:+.2f}".replace("-", "−")
                for gap in (min(gaps), max(gaps))
            ]
        return " to ".join(shown) or "–"

    def reproduction(self, *names):
        lines = [reproduction.HEADING]
        for found in self._reproduction(names):
            lines += [found.cells()]
        return markdown(lines)

    def reproduced(self, *names):
        found = self._reproduction(names)
        return f"{sum(row.is_reproduced for row in found)} of {len(found)}"

    def _reproduction(self, names):
        for name in names:
            _printed_rows(name)
        return reproduction.find(self._results, names)

    def tables(self, folder, *places):
        every = self._exhibit(folder)["tables"]
        known = {str(place): table for place, table in enumerate(every, 1)}
        for place in places:
            if place not in known:
                raise ExperimentError(
                    f"expected tables 1 to {len(every)} of {folder!r}; got "
                    f"{place!r}"
                )
        return "\n\n".join(
            f"{table.caption}\n\n{markdown([table.heading, *table.rows])}"
            for table in map(known.get, places or known)
        )

    def cell(self, folder, number, row, column):
        found = self._exhibit(folder)["tables"]
        if not number.isdecimal() or not 1 <= int(number) <= len(found):
            raise ExperimentError(
                f"expected a table from 1 to {len(found)}; got {number!r}"
            )
        table = found[int(number) - 1]
        headings = [_underscored(text) for text in table.heading]
        rows = [
            some
            for some in table.rows
            if _underscored(" ".join(some)).startswith(row)
        ]
        if len(rows) != 1 or headings.count(column) != 1:
            raise ExperimentError(
                f"expected one row that begins with {row!r} and one column "
                f"{column!r}; got {len(rows)} and {headings.count(column)}"
            )
        return rows[0][headings.index(column)]

    def toy_runs(self, *folders):
        return markdown(
            toy_runs_table.table(map(self._results.joinpath, folders))
        )

    def figures(self, folder):
        there = os.path.relpath(self._results / folder, self._page.parent)
        return "\n\n".join(
            f"![{figure.caption.partition('. ')[0]}]"
            f"({pathlib.PurePosixPath(there)}/{figure.file})"
            f"\n\n*{figure.caption}*"
            for figure in self._exhibit(folder)["figures"]
        )

    def notes(self, folder):
        found = self._exhibit(folder)
        commit = found["provenance"]["commit"][:7]
        lines = [*found["notes"], f"`{found['command']}`, commit {commit}."]
        return "\n".join(["", *(f"- {line}" for line in lines)])

    def _find(self, folder):
        try:
            return founds.find(str(self._results / folder))
        except ExperimentError as error:
            raise ExperimentError(
                f"expected a folder of {self._results.name}/; got {folder!r}: "
                f"{error}"
            ) from error

    def _exhibit(self, folder):
        found = exhibit.read(self._results / folder)
        if found is None:
            raise ExperimentError(f"{folder!r} has no exhibit.json")
        return found

    def _runs_of(self, folders):
        if not folders:
            raise ExperimentError("expected a folder; got none")
        return [
            runs
            for folder in folders
            for _, runs in self._find(folder).by_table()
        ]

    def _at_length(self, table, epochs, folder):
        _printed_rows(table)
        return [
            (config, cells)
            for runs in self._runs_of([folder])
            for config, cells in tables.rows(runs)
            if paper_tables.place(config)[0] == table
            and paper_tables.row_of(config).figures is not None
            and config["num_steps"] is None
            and config["epochs"] >= epochs
        ]


def _printed_rows(table):
    if table not in paper_tables.TABLES:
        raise ExperimentError(
            f"expected one of {', '.join(paper_tables.TABLES)}; got {table!r}"
        )
    rows = paper_tables.TABLES[table].rows.values()
    return [row for row in rows if row.figures is not None]


def markdown(lines):
    """Formats lists of texts, the heading first, as a Markdown table."""
    heading, *rows = lines
    # A bar within a cell would end it.
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
        for row in [heading, ["---"] * len(heading), *rows]
    )


def _underscored(text):
    return "_".join(text.split())


def _lines_of_row(runs, columns):
    """Returns a row of ours, and the paper's where it has one."""
    ((config, cells),) = tables.rows(runs)
    parts = [tables.name_of(config)]
    if config["preset"] != "paper":
        parts.append(config["preset"].replace("_", " "))
    clips = config.get("global_clipnorm")
    if clips and clips != run_config.own_settings(config).get(
        "global_clipnorm"
    ):
        parts.append(f"gradients clipped at {clips:g}")
    length = (
        f"{config['epochs']}"
        if config["num_steps"] is None
        else f"{config['num_steps']:,} steps"
    )
    lines = [
        [
            ", ".join(parts),
            length,
            str(len(runs)),
            *(
                tables.format_cell(cells[key], digits)
                for key, _, digits in columns
            ),
        ]
    ]
    printed = tables.paper_cells(config)
    if printed:
        paper_s = [
            f"paper, {paper_tables.data_of(config)}",
            "",
            "",
            *(printed.get(key, "") for key, _, _ in columns),
        ]
        lines.append([f"*{cell}*" if cell else "" for cell in paper_s])
    return lines

r"""Says what the tables lack at the papers' length, and exports it.

python -m experiments.export_table --results=results \
    --data_dir=<TFDS folder> --outlier_dir=<notMNIST> --output_dir=exported

For each table and seed, most valuable first, it says which rows are done and
which are left; with `--output_dir` the rows that are left are written as
programs, a folder for each table and seed, which `experiments.run_exported`
runs and `experiments.import_run` takes in (docs/accelerator.md). Folders that
are there already are not written again.
"""

import pathlib
import sys

from absl import flags

from experiments import command_line
from experiments import config as configs
from experiments import flag_checks
from experiments import flag_lists
from experiments import lazy
from experiments import paper_tables
from experiments.errors import ExperimentError
from experiments.exporting import missing
from experiments.reporting import tables as text_tables

exported_folder = lazy.import_module("experiments.exporting.exported_folder")

_RESULTS = flags.DEFINE_string(
    "results", "results", "Folder whose folders have results of runs."
)
_TABLES = flags.DEFINE_list(
    "tables", list(paper_tables.TABLES), "Which tables."
)
_ROWS = flags.DEFINE_list("rows", [], "Which rows; none: all.")
_SCALE = flags.DEFINE_enum(
    "scale",
    "full",
    ["full", "short", "smoke"],
    "Length of a run, as the tables' own commands have it.",
)
_DATASET = flags.DEFINE_string(
    "dataset", None, "Data set; none: the paper's of each table."
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of prepared TFDS data; none: TFDS' own."
)
_OUTLIER_DIR = flags.DEFINE_string(
    "outlier_dir", None, "Folder with the IDX files of notMNIST."
)
_DIVERGENCE_WEIGHTS = flags.DEFINE_integer(
    "divergence_weights",
    None,
    "Asks for runs of Table 5's adversarial row that look at as many weights "
    "in a step; none: all.",
)
_GLOBAL_CLIPNORM = flags.DEFINE_float(
    "global_clipnorm",
    None,
    "Asks for runs whose gradients are clipped at this norm, or at none (0); "
    "none: as the rows say. Without the row of the ensemble, which cannot be.",
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for the exports; none: only say what is left."
)


def run():
    """Prints what is done and left; exports the latter."""
    tables = [
        paper_tables.TABLES[x]
        for x in flag_lists.names(_TABLES, paper_tables.TABLES)
    ]
    flag_checks.check_fewest(((_DIVERGENCE_WEIGHTS, 1), (_GLOBAL_CLIPNORM, 0)))
    datasets = {x for table in tables for x in table.datasets}
    if _DATASET.value is not None and _DATASET.value not in datasets:
        raise ExperimentError(
            f"--dataset: expected one of {', '.join(sorted(datasets))}, which "
            f"--tables take; got {_DATASET.value!r}."
        )
    known = {row for table in tables for row in table.rows}
    unknown = set(_ROWS.value) - known
    if unknown:
        raise ExperimentError(
            f"--rows: expected some of {', '.join(sorted(known))}; got "
            f"{', '.join(sorted(unknown))}."
        )
    batches = [
        batch._replace(left=tuple(x for x in batch.left if _is_asked_for(x)))
        for batch in missing.find(
            _RESULTS.value,
            _SCALE.value,
            _DATASET.value,
            divergence_weights=_DIVERGENCE_WEIGHTS.value,
            global_clipnorm=_GLOBAL_CLIPNORM.value,
        )
        if batch.table in _TABLES.value
    ]
    lines = [["table", "seed", "done", "left"]]
    for batch in batches:
        both = ", ".join(batch.done) or "–", ", ".join(batch.left) or "–"
        lines.append([batch.table, str(batch.seed), *both])
    print(text_tables.aligned(lines))
    if _OUTPUT_DIR.value is None:
        return
    print("Starting TensorFlow.", file=sys.stderr, flush=True)
    for number, batch in enumerate(batches, start=1):
        if batch.left:
            name = f"{number}_{batch.table}_seed_{batch.seed}"
            _export(batch, pathlib.Path(_OUTPUT_DIR.value) / name)


def _is_asked_for(row):
    if not _ROWS.value:
        return not _GLOBAL_CLIPNORM.value or row != "ensemble"
    return row in _ROWS.value


def _export(batch, folder):
    datasets = paper_tables.TABLES[batch.table].datasets
    dataset = _DATASET.value or datasets[-1]
    config = configs.Config(
        table=batch.table,
        dataset=dataset,
        rows=batch.left,
        seeds=(batch.seed,),
        scale=_SCALE.value,
        preset="paper",
        output_dir=str(folder),
        data_dir=_DATA_DIR.value,
        outlier_dir=_OUTLIER_DIR.value if dataset == "mnist" else None,
        divergence_weights=(
            _DIVERGENCE_WEIGHTS.value if "adversarial" in batch.left else None
        ),
        global_clipnorm=_GLOBAL_CLIPNORM.value,
    )
    if (folder / "export.json").exists():
        exported_folder.check_same(folder, config)
        print(f"{folder}: exported before")
        return
    num_bytes = exported_folder.write(
        config, False, lambda text: print(text, file=sys.stderr, flush=True)
    )
    print(f"{folder}: {num_bytes / 2**20:.1f} MiB")


if __name__ == "__main__":
    command_line.start(run)

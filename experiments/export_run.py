r"""Writes runs as programs for a machine with JAX and without TensorFlow.

python -m experiments.export_run --table=mnist_methods --methods=bbh \
    --seeds=0 --dataset=digits --output_dir=exported

Takes the flags of the table's own command, but for those of checkpoints,
compilation and figures. `experiments.run_exported` runs what is written,
`experiments.import_run` takes in what comes of it.
"""

import sys

from absl import flags

from experiments import command_line
from experiments import flag_checks
from experiments import lazy
from experiments import paper_tables
from experiments import table_command
from experiments.errors import ExperimentError

_ONLY_HERE = (
    "checkpoint_seconds",
    "steps_per_execution",
    "jit",
    "keep_model",
    "figures",
)

exported_folder = lazy.import_module("experiments.exporting.exported_folder")


def main():
    """Defines the flags, parses them and exports."""
    first = flags.FlagValues()
    _define_table(first)
    try:
        first(sys.argv, known_only=True)
    except flags.Error as error:
        sys.exit(f"error: {' '.join(str(error).split())}")
    _define_table(flags.FLAGS)
    table_command.define_flags(first.table)
    flags.DEFINE_bool(
        "carry_all",
        False,
        "Carry every value that is not zero; else large variables are drawn "
        "anew where they run, from the same distribution.",
    )
    command_line.start(lambda: _run(first.table))


def _define_table(values):
    flags.DEFINE_enum(
        "table",
        "mnist_methods",
        list(paper_tables.TABLES),
        "Which table's rows.",
        flag_values=values,
    )


def _run(table):
    if flags.FLAGS.strategy != "auto":
        raise ExperimentError(
            "--strategy: expected auto, since an export is for one device; "
            f"got {flags.FLAGS.strategy!r}."
        )
    for name in _ONLY_HERE:
        flag = flags.FLAGS[name]
        flag_checks.check(
            flag,
            not flag.present,
            "without, since an export has no use for it",
        )
    config = table_command.config_from_flags(table)
    # Importing TensorFlow takes seconds; a wrong flag is told before.
    print("Starting TensorFlow.", file=sys.stderr, flush=True)

    num_bytes = exported_folder.write(
        config,
        flags.FLAGS.carry_all,
        lambda text: print(text, file=sys.stderr, flush=True),
    )
    print(f"Exported: {config.output_dir}, {num_bytes / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()

"""Figure 2 of Bayesian hypernetworks: both modes of y = a b x, or one.

python -m experiments.bhn_identity --output_dir=runs/identity

The identity is learnt by a network with two weights too many: a = b = 1 and
a = b = -1 do as well. The posterior of a and b is known on a grid, so that
shares of draws at its modes and the KL to it are numbers. Noise is known, not
learnt as a third parameter: it makes the levels. The prior is the authors',
N(0, 1/20), and so are couplings and their widths; steps, draws a step and rate
are ours, for one step of theirs costs as much as one of these.
"""

import dataclasses

from absl import flags

from experiments import command_line
from experiments import files
from experiments import flag_checks
from experiments import flag_lists
from experiments import lazy

exhibit = lazy.import_module("experiments.reporting.exhibit")
identity = lazy.import_module("experiments.bhn.identity")
identity_figure = lazy.import_module("experiments.bhn.identity_figure")
identity_table = lazy.import_module("experiments.bhn.identity_table")
provenance = lazy.import_module("experiments.provenance")
tables = lazy.import_module("experiments.reporting.tables")

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for results.json and the figure."
)
_NOISE_STDS = flags.DEFINE_list(
    "noise_stds", ["0.8", "0.5", "0.2"], "Standard deviations of the labels."
)
_NUM_SEEDS = flags.DEFINE_integer("num_seeds", 10, "Seeds, from 0 on.")
_NUM_STEPS = flags.DEFINE_integer(
    "num_steps", None, "Training steps; none: 3,000."
)
_NUM_LAYERS = flags.DEFINE_integer(
    "num_layers", None, "Couplings or autoregressive flows; none: 6."
)
_PRECISION = flags.DEFINE_float(
    "precision", None, "Precision of the prior on a and b; none: 20."
)


def run():
    """Fits the flows, writes numbers and figure."""
    changes, noise_stds = _check_flags()
    with files.only_user(_OUTPUT_DIR.value) as output:
        settings = identity.Settings(**changes)
        told = {
            "settings": dataclasses.asdict(settings),
            "num_seeds": _NUM_SEEDS.value,
        }
        files.check_results(output, told)
        results, draws = identity.compare(
            settings, noise_stds, list(range(_NUM_SEEDS.value))
        )
        files.write_json(
            output / "results.json",
            {
                **told,
                "results": results,
                "provenance": provenance.describe(),
            },
        )
        path = identity_figure.write(settings, results, draws, output)
        heading, *rows = identity_table.table(results)
        exhibit.write(
            output,
            "The identity by a b x (Bayesian hypernetworks, Figure 2)",
            [exhibit.Figure(path.name, identity_figure.CAPTION)],
            [exhibit.Table(identity_table.CAPTION, heading, rows)],
            [],
            command_line.command(),
        )
        print(tables.aligned([heading, *rows]))
        print(f"\n{identity_table.CAPTION}")
    print(f"Figure: {path}")


def _check_flags():
    """Returns the changes of the settings, and the noise levels."""
    noise_stds = flag_lists.floats(
        _NOISE_STDS, lambda x: 0 < x < float("inf"), "positive numbers"
    )
    flag_checks.check_fewest(
        (
            (_NUM_SEEDS, 1),
            (_NUM_STEPS, 1),
            (_NUM_LAYERS, 1),
            (_PRECISION, 0),
        )
    )
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    changes = {
        flag.name: flag.value
        for flag in (_NUM_STEPS, _NUM_LAYERS, _PRECISION)
        if flag.value is not None
    }
    return changes, noise_stds


if __name__ == "__main__":
    command_line.start(run)

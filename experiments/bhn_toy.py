"""Figure 1 of Bayesian hypernetworks: a curve, three networks, the posterior.

python -m experiments.bhn_toy --output_dir=runs/bhn_toy

A plain network, a Bayesian hypernetwork on the scales g of weight
normalisation, and one on all weights, on the curve of Blundell et al.; the
No-U-Turn Sampler draws from the posterior over all weights, so that the width
of the bands is a number. The data, the network of 50 ReLU units and the batches
are the authors', and N(0, 1) on what is random; the plain network has no prior.
See experiments/bhn/toy.py for what is ours.
"""

import dataclasses

from absl import flags

from experiments import command_line
from experiments import files
from experiments import flag_checks
from experiments import lazy

exhibit = lazy.import_module("experiments.reporting.exhibit")
provenance = lazy.import_module("experiments.provenance")
tables = lazy.import_module("experiments.reporting.tables")
toy = lazy.import_module("experiments.bhn.toy")
toy_figure = lazy.import_module("experiments.bhn.toy_figure")
toy_table = lazy.import_module("experiments.bhn.toy_table")

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for results.json and the figure."
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all but the data.")
_NUM_EPOCHS = flags.DEFINE_integer(
    "num_epochs", None, "Passes over the data; none: 200."
)
_NUM_LAYERS = flags.DEFINE_integer(
    "num_layers", None, "Couplings of the flows; none: 4."
)
_NUM_CHAIN_DRAWS = flags.DEFINE_integer(
    "num_chain_draws", None, "Draws of each of NUTS's chains; none: 250."
)
_SCALE = flags.DEFINE_string(
    "scale", "full", "full; or smoke: a few steps and draws, to try it out."
)
_SMOKE = {
    "num_train": 64,
    "num_epochs": 2,
    "num_draws": 10,
    "num_chains": 2,
    "num_chain_draws": 4,
    "units": 8,
}


def run():
    """Trains the networks, writes numbers and figure."""
    changes = _check_flags()
    with files.only_user(_OUTPUT_DIR.value) as output:
        settings = toy.Settings(**changes)
        told = {
            "settings": dataclasses.asdict(settings),
            "seed": _SEED.value,
            "scale": _SCALE.value,
        }
        files.check_results(output, told)
        results, draws = toy.compare(settings, _SEED.value)
        files.write_json(
            output / "results.json",
            {**told, **results, "provenance": provenance.describe()},
        )
        path = toy_figure.write(draws, results["measures"], output)
        heading, *rows = toy_table.table(results)
        exhibit.write(
            output,
            "A curve and the posterior (Bayesian hypernetworks, Figure 1)",
            [exhibit.Figure(path.name, toy_figure.CAPTION)],
            [exhibit.Table(toy_table.CAPTION, heading, rows)],
            toy_table.notes(results),
            command_line.command(),
        )
        print(tables.aligned([heading, *rows]))
        print()
        for line in (toy_table.CAPTION, *toy_table.notes(results)):
            print(line)
    print(f"Figure: {path}")


def _check_flags():
    """Returns the changes of the settings."""
    flag_checks.check(
        _SCALE, _SCALE.value in ("full", "smoke"), "one of full, smoke"
    )
    flag_checks.check_fewest(
        (
            (_SEED, 0),
            (_NUM_EPOCHS, 1),
            (_NUM_LAYERS, 0),
            (_NUM_CHAIN_DRAWS, 2),
        )
    )
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    given = {
        flag.name: flag.value
        for flag in (_NUM_EPOCHS, _NUM_LAYERS, _NUM_CHAIN_DRAWS)
        if flag.value is not None
    }
    return {**(_SMOKE if _SCALE.value == "smoke" else {}), **given}


if __name__ == "__main__":
    command_line.start(run)

"""Hands a posterior on: digits 0 to 4, then 5 to 9, as the next task's prior.

python -m experiments.digits_in_turn --output_dir=runs/in_turn

The paper names it as future work. Beside it stand fine-tuning, which starts
from the same posterior with the old prior, and joint training. A run that is
stopped goes on with the next method and seed.
"""

import dataclasses

from absl import flags

from experiments import command_line
from experiments import data_sets
from experiments import files
from experiments import flag_checks
from experiments import flag_lists
from experiments import image_data
from experiments import lazy
from experiments import provenance
from experiments import strategies
from experiments import trained_runs
from experiments.in_turn import table
from experiments.in_turn import tasks
from experiments.reporting import exhibit
from experiments.reporting import tables

workers = lazy.import_module("bbh_tf.workers")

_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder for results.")
_DATASET = flags.DEFINE_enum(
    "dataset", "digits", ["digits", "mnist"], "Which digits."
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Where MNIST lies.")
_METHODS = flags.DEFINE_list(
    "methods",
    list(tasks.METHODS),
    f"Which methods: {', '.join(tasks.METHODS)}.",
)
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds, from 0.")
_EPOCHS = flags.DEFINE_integer(
    "epochs", 150, "Epochs of each training.", lower_bound=1
)
_KL_SCALE = flags.DEFINE_float(
    "kl_scale",
    0.1,
    "Factor of the KL, of both tasks alike.",
    lower_bound=0.0,
)
_STRATEGY = strategies.define_flag()


def run():
    """Trains what is not there yet; writes the table."""
    flag_checks.check_output_dir(_OUTPUT_DIR.value)
    flag_checks.check_data_dir(_DATA_DIR.value, [_DATASET.value])
    # NaN is no less than any bound.
    flag_checks.check_fewest(((_KL_SCALE, 0),))
    seeds = flag_lists.integers(_SEEDS, 0)
    methods = flag_lists.names(_METHODS, tasks.METHODS)
    network = data_sets.DATASETS[_DATASET.value].network
    settings = tasks.Settings(
        _DATASET.value,
        tuple(network["units"]),
        network["kernel_size"],
        _EPOCHS.value,
        _KL_SCALE.value,
    )
    with strategies.job(_STRATEGY.value, _OUTPUT_DIR.value) as folder:
        found = [
            _of(folder, method, seed, settings)
            for seed in seeds
            for method in methods
        ]
        if not workers.is_chief(strategies.make(_STRATEGY.value)):
            return
        heading, *rows = table.lines(found)
        notes = table.notes(settings, found)
        print(tables.aligned([heading, *rows]))
        print("", *notes, sep="\n")
        exhibit.write(
            folder,
            "A posterior as the next task's prior (future work)",
            [],
            [exhibit.Table("Test errors after both tasks.", heading, rows)],
            notes,
            command_line.command(),
        )


def _of(folder, method, seed, settings):
    path = folder / f"{method}_seed_{seed}.json"
    told = dataclasses.asdict(settings)
    told["units"] = list(settings.units)
    trained = {"method": method, "seed": seed}
    found = trained_runs.made_before(path, told, trained, "errors")
    strategy = strategies.make(_STRATEGY.value)
    if not workers.of_chief(found is not None, strategy):
        data = image_data.load(settings.dataset, _DATA_DIR.value)
        with strategy.scope():
            errors = tasks.errors(method, seed, data, settings)
        found = {
            "settings": told,
            "trained": trained,
            "errors": errors,
            "num_replicas": strategy.num_replicas_in_sync,
            "provenance": provenance.describe(),
        }
        if workers.is_chief(strategy):
            files.write_json(path, found)
        print(f"{tasks.METHODS[method]}, seed {seed}: done.", flush=True)
    return found


if __name__ == "__main__":
    command_line.start(run, takes_strategy=True)

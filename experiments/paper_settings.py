"""Whether a run has the settings of its row, or others."""

import dataclasses

from experiments import config as configs
from experiments import paper_tables
from experiments import run_config

# All of `RunConfig` is compared but these, so that what is added to it is too.
_NOT_COMPARED = (
    # Which run it is, how long, and on how many examples: callers ask for
    # theirs. Annealing is compared in proportion to the length.
    *("table", "row", "dataset", "seed", "scale", "epochs"),
    # What it is measured on.
    "outliers",
    # Names only: the values of what was changed are compared.
    "changed",
)
# What makes a run cheaper, and its figures coarser.
OF_COST = {"num_prediction_samples", "divergence_weights"}
# What runs of older versions had where they say nothing.
_UNSAID = {
    "bbb": {"divergence": "analytic"},
    "bbh": {"divergence": "kernel", "hypernetwork_units": (64, 256, 512)},
}


def is_the_papers(config, **asked):
    """Tells whether a run has the paper's settings; see `departures`."""
    return not departures(config, **asked)


def departures(config, divergence_weights=None, global_clipnorm=None):
    """Finds where a run's settings are not the paper's, but for its length.

    Of a row that the paper does not have, its own; see
    `run_config.own_settings`.

    Args:
        config: a run's configuration, as its `config.json` has it.
        divergence_weights: what the command line is to have said of it, for
            runs of the adversarial estimate; None for the row's own.
        global_clipnorm: likewise, for all runs; 0 for none.

    Returns:
        Set of the settings' names.
    """
    found = _as_today(config)
    wanted = dataclasses.asdict(_of_row(config))
    if wanted["divergence"] == "adversarial":
        wanted["divergence_weights"] = divergence_weights
    if global_clipnorm is not None:
        wanted["global_clipnorm"] = global_clipnorm or None
    return {
        name
        for name, value in wanted.items()
        if name not in _NOT_COMPARED and found[name] != value
    }


def _as_today(config):
    """Returns the settings of a run, as today's version would say them."""
    given = {
        # There are no tuples in JSON.
        name: tuple(value) if isinstance(value, list) else value
        for name, value in config.items()
        if value is not None
    }
    saved = {**config, **_UNSAID.get(config["method"], {}), **given}
    return dataclasses.asdict(run_config.read(saved))


def _of_row(config):
    """Returns the `RunConfig` of a run of the same row and length."""
    table, row = paper_tables.place(config)
    asked = configs.Config(
        table=table,
        dataset=config["dataset"],
        rows=(row,),
        seeds=(config["seed"],),
        scale=config["scale"],
        preset="paper",
        # Nothing is written.
        output_dir=".",
        epochs=config["epochs"],
    )
    return run_config.make(asked, row, config["seed"])

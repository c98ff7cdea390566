"""What `experiments.dwp_gap` does."""

import time

import tensorflow as tf

from bbh_tf import workers
from experiments import files
from experiments import model_files
from experiments.dwp import classifiers
from experiments.dwp import gap_bounds
from experiments.dwp import layer_densities
from experiments.dwp import networks
from experiments.dwp import run_folder
from experiments.dwp import settings
from experiments.errors import ExperimentError
from experiments.papers import deep_weight_prior as paper
from experiments.reporting import exhibit

_HEADING = [
    "r(z | w)",
    "split",
    "K",
    "log-likelihood",
    "L_aux",
    "L_IWAE",
    "gap",
    "gap a slice",
    "L_aux with p(z) for r",
]


def run(config, runs, data_dir, folder, command, strategy=None):
    """Trains and measures what is not there yet; see `experiments.dwp_gap`.

    Args:
        config: a `settings.GapConfig`.
        runs: a `settings.GapRuns`.
        data_dir: where the images lie, or None.
        folder: a `pathlib.Path`.
        command: what was typed, for the report.
        strategy: the `tf.distribute.Strategy` to train under; None for the one
            in force.

    Returns:
        The records of all runs in the folder; of several workers, to the
        first, and None to others.
    """
    strategy = strategy or tf.distribute.get_strategy()
    run_folder.begin(folder, config, strategy)
    images = networks.load(config.dataset, data_dir)
    networks.check_examples(images, config.num_examples)
    densities = layer_densities.of_run(config, folder, strategy)
    _check_no_chain(densities)
    made = {}
    for split in runs.splits:
        for reverse in runs.reverses:
            for count in runs.num_importance_samples:
                one = {"reverse": reverse, "split": split, "k": count}
                record = run_folder.once(
                    folder,
                    one,
                    lambda one=one: _find(
                        config, one, images, densities, folder, made, strategy
                    ),
                    strategy,
                )
                print(
                    f"r {reverse}, split {split}, K = {count:,}: gap "
                    f"{record['found']['gap'][0]:,.0f} nats",
                    flush=True,
                )
    if not workers.is_chief(strategy):
        return None
    found = run_folder.finish(folder, one)
    _report(folder, config, found, command)
    return found


def _check_no_chain(densities):
    """Refuses Markov chains, whose further steps no bound here looks at."""
    for name, density in densities.items():
        steps = density.autoencoder.num_steps
        if steps:
            raise ExperimentError(
                "--autoencoders: expected those of dwp_prior --num_steps=0, "
                f"as in the paper's Table 1; got {steps} for {name}."
            )


def _find(config, one, images, densities, folder, made, strategy):
    reverse, split = one["reverse"], one["split"]
    some = networks.split(images, config.num_examples, split)
    start = time.perf_counter()
    model = _trained(
        config, reverse, split, some, densities, folder, made, strategy
    )
    measured = gap_bounds.measure(
        model.model,
        *some,
        one["k"],
        config.num_draws,
        config.num_slices,
        split,
    )
    return {**measured, "seconds": time.perf_counter() - start}


def _trained(config, reverse, split, some, densities, folder, made, strategy):
    """Trains a network, unless its weights are there."""
    if reverse not in made:
        made[reverse] = classifiers.make(
            settings.ClassificationConfig(
                config.dataset,
                "paper" if reverse == "trained" else "released_code",
            ),
            config.num_steps,
            "dwp",
            densities,
            strategy,
        )
    model = made[reverse]
    there = folder / "networks"
    there.mkdir(exist_ok=True)
    path = there / f"{reverse}_{split}.weights.h5"
    if workers.of_chief(path.exists(), strategy):
        model_files.load_weights(model.model, path)
        return model
    model.train(
        *some,
        layer_densities.initial_kernels(
            config.dataset, config.initialisation, densities, split
        ),
        split,
    )
    if not workers.is_chief(strategy):
        return model
    with files.replacing(path) as partial:
        model.model.save_weights(partial)
    return model


def _report(folder, config, found, command):
    rows = []
    order = list(settings.REVERSES)
    for record in sorted(
        found,
        key=lambda x: (
            order.index(x["run"]["reverse"]),
            x["run"]["split"],
            x["run"]["k"],
        ),
    ):
        one, values = record["run"], record["found"]
        rows.append(
            [
                settings.REVERSES[one["reverse"]],
                str(one["split"]),
                f"{one['k']:,}",
                f"{values['likelihood']:,.1f}",
                _text(values["auxiliary"]),
                _text(values["importance_weighted"]),
                _text(values["gap"]),
                f"{values['gap'][0] / values['num_slices']:.2f}",
                _text(values["auxiliary_of_prior"]),
            ]
        )
    rows.append(
        [
            "paper, its network not said",
            "",
            "10,000",
            "",
            *(
                f"{1000 * paper.GAP[name]:,.0f}"
                for name in ("auxiliary", "importance_weighted", "gap")
            ),
            "",
            f"{1000 * paper.GAP['auxiliary_of_prior']:,.0f}",
        ]
    )
    rows = [[cell.replace("-", "−") for cell in row] for row in rows]
    slices = found[0]["found"]["num_slices"]
    exhibit.write(
        folder,
        f"The gap of the bound: {config.dataset} (Table 1)",
        [],
        [
            exhibit.Table(
                "Lower bounds on the evidence, nats, ± standard error over "
                "slices.",
                _HEADING,
                rows,
            )
        ],
        [
            f"{config.dataset}, {config.num_examples} examples, "
            f"{config.num_steps:,} steps from "
            f"{settings.INITIALISATIONS[config.initialisation]}; "
            f"{slices:,} slices, of which {config.num_slices} of each layer, "
            "or all, were looked at, each under "
            f"{config.num_draws} draws of the weights.",
            "L_aux is the mean of log p(w, z) / r(z | w) over the samples of "
            "z, L_IWAE the log of the mean; the gap is what a perfect r would "
            "gain at least.",
            *run_folder.commits(found),
        ],
        command,
    )
    exhibit.show(folder)


def _text(value_and_error):
    value, error = value_and_error
    return f"{value:,.0f} ± {error:,.0f}"

"""What `experiments.dwp_classification` does."""

import time

import numpy as np
import tensorflow as tf

import bbh_tf as bbh
from bbh_tf import workers
from experiments.dwp import classification_report
from experiments.dwp import classifiers
from experiments.dwp import layer_densities
from experiments.dwp import networks
from experiments.dwp import run_folder


def run(config, runs, data_dir, folder, command, strategy=None):
    """Trains what is not there yet; see `experiments.dwp_classification`.

    Args:
        config: a `settings.ClassificationConfig`.
        runs: a `settings.ClassificationRuns`.
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
    networks.check_counts(images, num_test=config.num_test)
    # Before minutes go into densities, or hours into the first of them.
    for num_examples in runs.num_examples:
        networks.check_examples(images, num_examples)
    densities = layer_densities.of_run(config, folder, strategy)
    made = {}
    # The order is that of worth: whole comparisons come early.
    for num_examples in runs.num_examples:
        for split in runs.splits:
            for how in runs.initialisations:
                for kind in runs.priors:
                    one = {
                        "prior": kind,
                        "initialisation": how,
                        "num_examples": num_examples,
                        "num_steps": runs.num_steps,
                        "split": split,
                    }
                    record = run_folder.once(
                        folder,
                        one,
                        lambda one=one: _find(
                            config, one, images, densities, made, strategy
                        ),
                        strategy,
                    )
                    accuracy = record["found"]["accuracy"]
                    said = "diverged" if accuracy is None else f"{accuracy:.4f}"
                    print(
                        f"{num_examples} examples, split {split}, {how}, "
                        f"{kind}: accuracy {said}",
                        flush=True,
                    )
    if not workers.is_chief(strategy):
        return None
    found = run_folder.finish(folder, one)
    classification_report.write(folder, config, found, command)
    return found


def _find(config, one, images, densities, made, strategy):
    kind, seed = one["prior"], one["split"]
    if kind not in made:
        made[kind] = classifiers.make(
            config, one["num_steps"], kind, densities, strategy
        )
    model = made[kind]
    start = time.perf_counter()
    history = model.train(
        *networks.split(images, one["num_examples"], seed),
        layer_densities.initial_kernels(
            config.dataset, one["initialisation"], densities, seed
        ),
        seed,
    )
    seconds = time.perf_counter() - start
    labels = images.test_labels[: config.num_test]
    probabilities = model.probabilities(images.test_images[: config.num_test])
    found = {"accuracy": None, "nll": None, "seconds": seconds}
    if not np.isfinite(probabilities).all():
        # A prior may be infinitely far from where a training starts.
        return {**found, "history": None}
    nll = bbh.uncertainty.negative_log_likelihood(probabilities, labels)
    return {
        **found,
        "accuracy": float(np.mean(probabilities.argmax(axis=1) == labels)),
        "nll": float(nll),
        "history": history,
    }

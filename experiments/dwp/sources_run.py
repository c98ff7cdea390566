"""What `experiments.dwp_sources` does."""

import dataclasses
import time

import numpy as np
import tensorflow as tf

from bbh_tf import workers
from experiments import arrays
from experiments import files
from experiments import provenance
from experiments.dwp import figures
from experiments.dwp import source_networks
from experiments.errors import ExperimentError
from experiments.reporting import exhibit

_HEADING = [
    "layer",
    "kernel",
    "slices",
    "median norm",
    "kept",
    "share kept",
    "norm kept: least",
    "median",
    "greatest",
]


def run(config, folder, command, strategy=None):
    """Trains networks and keeps their kernels; see `experiments.dwp_sources`.

    Args:
        config: a `settings.SourcesConfig`.
        folder: a `pathlib.Path`.
        command: what was typed, for the report.
        strategy: the `tf.distribute.Strategy` to train under; None for the one
            in force.

    Returns:
        The results, a dictionary; of several workers, to the first, and None
        to others.
    """
    strategy = strategy or tf.distribute.get_strategy()
    images, labels = _data(config)
    networks, kernels, norms = {}, {}, {}
    for seed in range(config.seed, config.seed + config.num_networks):
        name = f"seed_{seed}"
        record, found = _one(config, folder, images, labels, seed, strategy)
        networks[name] = record
        # Of a hundred networks all slices are gigabytes, those kept are few.
        for layer, some in found.items():
            kernels.setdefault(layer, {})[name] = source_networks.kept(
                some, config.dataset, config.min_norm
            )
            norms.setdefault(layer, []).append(_norms(some))
        print(
            f"network of seed {seed}: training accuracy "
            f"{record['accuracy']:.3f}, {record['seconds']:.0f} s",
            flush=True,
        )
    if not workers.is_chief(strategy):
        return None
    for layer, of_networks in kernels.items():
        with files.replacing(folder / f"kernels_{layer}.npz") as temporary:
            np.savez(temporary, **of_networks)
    results = {
        "config": dataclasses.asdict(config),
        "num_examples": len(images),
        "networks": networks,
        "layers": {
            layer: _summary(norms[layer], of_networks)
            for layer, of_networks in kernels.items()
        },
        "provenance": provenance.describe(),
    }
    files.write_json(folder / "results.json", results)
    _report(config, folder, results, kernels, command)
    return results


def _data(config):
    images, labels = source_networks.load(config.dataset, config.data_dir)
    order = np.random.default_rng(config.seed).permutation(len(images))
    chosen = order[: config.max_examples]
    return images[chosen], labels[chosen]


def _one(config, folder, images, labels, seed, strategy):
    """Trains one network, unless that is done.

    Returns:
        A record, and a dictionary from layers to all of its slices.
    """
    path, place = folder / f"seed_{seed}.npz", folder / f"seed_{seed}.json"
    # How many networks there are, and their first seed, change none of them;
    # a random part of the images does depend on that seed.
    wanted = {**dataclasses.asdict(config), "num_networks": None}
    # All slices are there, so that another threshold needs no training.
    del wanted["min_norm"]
    if config.max_examples is None:
        wanted["seed"] = None
    is_there = place.exists() and path.exists()
    if workers.of_chief(is_there, strategy):
        record = files.read_json(
            place, ("config", "accuracy", "seconds"), "the record of a network"
        )
        if record["config"] != wanted:
            raise ExperimentError(
                f"--output_dir: {place} is of other settings; expected a new "
                "folder."
            )
        return record, arrays.read(path)
    start = time.perf_counter()
    with strategy.scope():
        network, accuracy = source_networks.train(images, labels, config, seed)
    found = source_networks.slices(network)
    record = {
        "config": wanted,
        "accuracy": accuracy,
        "seconds": time.perf_counter() - start,
        "num_replicas": strategy.num_replicas_in_sync,
    }
    if workers.is_chief(strategy):
        with files.replacing(path) as temporary:
            np.savez(temporary, **found)
        files.write_json(place, record)
    return record, found


def _norms(kernels):
    return np.linalg.norm(kernels, axis=(1, 2))


def _summary(norms_of_all, of_networks):
    norms_of_all = np.concatenate(norms_of_all)
    kept = np.concatenate(list(of_networks.values()))
    norms = _norms(kept)
    return {
        "kernel_size": kept.shape[1],
        "num_slices": len(norms_of_all),
        "median_norm": float(np.median(norms_of_all)),
        "num_kept": len(kept),
        "norms": [float(np.quantile(norms, q)) for q in (0, 0.5, 1)]
        if len(kept)
        else None,
    }


def _report(config, folder, results, kernels, command):
    rows = []
    for layer, found in results["layers"].items():
        size = found["kernel_size"]
        share = found["num_kept"] / found["num_slices"]
        norms = found["norms"] or []
        rows.append(
            [
                layer,
                f"{size} x {size}",
                f"{found['num_slices']:,}",
                f"{found['median_norm']:.3f}",
                f"{found['num_kept']:,}",
                f"{100 * share:.1f} %",
                *([f"{norm:.3f}" for norm in norms] or ["", "", ""]),
            ]
        )
    generator = np.random.default_rng(0)
    columns = {}
    for layer, of_networks in kernels.items():
        kept = np.concatenate(list(of_networks.values()))
        if len(kept):
            chosen = generator.permutation(len(kept))[:64]
            columns[f"{layer}, {kept.shape[1]} x {kept.shape[1]}"] = kept[
                chosen
            ]
    pictures = []
    if columns:
        figures.kernels(columns, folder / "kernels.png")
        pictures.append(
            exhibit.Figure(
                "kernels.png",
                "Slices that were kept, each in units of its largest pixel.",
            )
        )
    accuracies = [x["accuracy"] for x in results["networks"].values()]
    exhibit.write(
        folder,
        f"Source networks of a deep weight prior: {config.dataset}",
        pictures,
        [
            exhibit.Table(
                f"Slices of {config.num_networks} networks, "
                f"{config.epochs} epochs of {results['num_examples']:,} "
                "images.",
                _HEADING,
                rows,
            )
        ],
        [
            f"Mean training accuracy {np.mean(accuracies):.3f}. L2 of "
            f"{source_networks.l2(config):g}."
        ],
        command,
    )
    exhibit.show(folder)

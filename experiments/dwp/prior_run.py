"""What `experiments.dwp_prior` does."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import workers
from experiments import files
from experiments import flag_checks
from experiments import model_files
from experiments import provenance
from experiments.dwp import densities
from experiments.dwp import figures
from experiments.dwp import released
from experiments.dwp import run_folder
from experiments.errors import ExperimentError
from experiments.reporting import exhibit

_NORMALS = {
    "full_covariance": "normal, full covariance (exact)",
    "factorised": "normal, factorised (exact)",
    "standard": "N(0, 1) (exact)",
}
# For the norms of draws.
_NUM_DRAWS = 1000


def run(config, folder, command, strategy=None):
    """Trains, measures and draws; see `experiments.dwp_prior`.

    Args:
        config: a `settings.PriorConfig`.
        folder: a `pathlib.Path`.
        command: what was typed, for the report.
        strategy: the `tf.distribute.Strategy` to train under; None for the one
            in force.

    Returns:
        The results, a dictionary; of several workers, to the first, and None
        to others.
    """
    strategy = strategy or tf.distribute.get_strategy()
    train, held_out = _split(config)
    size = train.shape[1]
    if config.released:
        # What is wrong with it is told before hours of training.
        with flag_checks.naming("released"):
            released.load_autoencoder(config.released, size)
    results = {
        "config": dataclasses.asdict(config),
        "kernel_size": size,
        "num_kernels": [len(train), len(held_out)],
        "normals": densities.measure_normals(train, held_out),
        "autoencoders": {},
        "provenance": provenance.describe(),
    }
    dims = config.latent_dims or (2 if size == 7 else 4,)
    models = {}
    for dim in dims:
        models[dim], found = _one(
            config, folder, train, held_out, dim, strategy
        )
        if not workers.is_chief(strategy):
            continue
        results["autoencoders"][str(dim)] = found
        bound, weighted = found["held_out"]["bound"], _weighted(found)
        print(
            f"z of {dim}: {bound[0]:.2f} nats, {weighted[0]:.2f} weighted",
            flush=True,
        )
    if not workers.is_chief(strategy):
        return None
    results["flow"] = densities.measure_flow(train, held_out, config.seed)
    drawn = {f"z of {dim}": model for dim, model in models.items()}
    if config.released:
        model = released.load_autoencoder(config.released, size)
        results["released"] = {
            "train": densities.measure_autoencoder(model, train),
            "held_out": densities.measure_autoencoder(model, held_out),
        }
        drawn["released"] = model
    results["norms"] = {"learned": densities.norms(train)}
    for name, model in drawn.items():
        draws, _ = densities.samples(model, _NUM_DRAWS, config.seed)
        results["norms"][f"draws, {name}"] = densities.norms(draws)
    files.write_json(folder / "results.json", results)
    _draw(config, folder, train, models, results)
    _report(folder, results, command)
    return results


def _split(config):
    with flag_checks.naming("kernels"):
        parts = [released.load_kernels(path) for path in config.kernels]
    if len({part.shape[1:] for part in parts}) > 1:
        raise ExperimentError(
            "--kernels: expected kernels of one size; got "
            f"{', '.join(str(part.shape[1:]) for part in parts)}."
        )
    kernels = np.concatenate(parts)
    if config.held_out:
        with flag_checks.naming("held_out"):
            held_out = released.load_kernels(config.held_out)
        if held_out.shape[1:] != kernels.shape[1:]:
            raise ExperimentError(
                "--held_out: expected kernels of the size of --kernels, "
                f"{kernels.shape[1:]}; got {held_out.shape[1:]}."
            )
        return kernels, held_out
    order = np.random.default_rng(config.seed).permutation(len(kernels))
    count = round(config.held_out_fraction * len(kernels))
    if count < 2 or len(kernels) - count < 2:
        raise ExperimentError(
            f"--kernels: expected enough to hold out two; got {len(kernels)}."
        )
    return kernels[order[count:]], kernels[order[:count]]


def _one(config, folder, train, held_out, dim, strategy):
    """Trains and measures one autoencoder, unless that is done.

    The first worker measures, on one device; to others it returns nothing.
    """
    path, record = folder / f"z{dim}.keras", folder / f"z{dim}.json"
    # Files count by their contents: dwp_sources may have added networks.
    wanted = {
        **dataclasses.asdict(config),
        "kernels": [run_folder.fingerprint(x) for x in config.kernels],
        "held_out": config.held_out and run_folder.fingerprint(config.held_out),
        "latent_dims": [dim],
    }
    # What it is measured beside does not change it.
    del wanted["released"]
    if config.rms is None:
        # As before there was this setting.
        del wanted["rms"]
    is_there = record.exists() and path.exists()
    if workers.of_chief(is_there, strategy):
        found = files.read_json(
            record, ("config", "train", "held_out"), "that of an autoencoder"
        )
        if found["config"] != wanted:
            raise ExperimentError(
                f"--output_dir: {record} is of other settings; expected a new "
                "folder."
            )
        return model_files.load(path, "an autoencoder"), found
    with strategy.scope():
        (model, history), seconds = densities.timed(
            densities.train, train, dim, config
        )
    if not workers.is_chief(strategy):
        return None, None
    with files.replacing(path) as temporary:
        model.save(temporary)
    model = keras.models.load_model(path)
    found = {
        "config": wanted,
        "train": densities.measure_autoencoder(model, train),
        "held_out": densities.measure_autoencoder(model, held_out),
        "history": history,
        "seconds": seconds,
        "num_parameters": model.count_params(),
        "num_replicas": strategy.num_replicas_in_sync,
    }
    files.write_json(record, found)
    return model, found


def _draw(config, folder, train, models, results):
    dim, model = next(iter(models.items()))
    generator = np.random.default_rng(config.seed)
    some = train[generator.permutation(len(train))[:64]]
    drawn, means = densities.samples(model, 64, config.seed)
    figures.kernels(
        {
            "learned kernels": some,
            "draws of the density": drawn,
            "means of the decoder": means,
        },
        folder / "kernels.png",
    )
    places, _ = model.encoder.predict(train[:5000], batch_size=512, verbose=0)
    if places.shape[1] > 1:
        norms = np.linalg.norm(train[:5000], axis=(1, 2))
        figures.latent(places, norms, folder / "latent.png")
    figures.curves(
        {
            f"bound in training, z of {key}": found["history"]
            for key, found in results["autoencoders"].items()
        },
        {
            f"{name}, held out": results["normals"][key][0]
            for key, name in list(_NORMALS.items())[:2]
        },
        folder / "training.png",
    )


def _report(folder, results, command):
    rows = [
        _row(f"autoencoder, z of {dim}", found)
        for dim, found in results["autoencoders"].items()
    ]
    if "released" in results:
        rows.append(_row("autoencoder, released", results["released"]))
    flow = results["flow"]
    value = _text(flow["held_out"])
    name = f"normalizing flow, of {flow['epochs']} epochs (exact)"
    rows.append([name, _text(flow["train"]), value, value, ""])
    for key, name in _NORMALS.items():
        value = _text(results["normals"][key])
        rows.append([name, "", value, value, ""])
    heading = [
        "",
        "bound, training",
        "bound, held out",
        "importance-weighted, held out",
        "KL(r || p(z)), held out",
    ]
    size = results["kernel_size"]
    trained, held_out = results["num_kernels"]
    pictures = [
        exhibit.Figure(
            "kernels.png",
            "Learned kernels, draws of the density, and means of the decoder "
            "for other draws of z; each in units of its largest pixel "
            "(Figure 1).",
        ),
        exhibit.Figure(
            "latent.png",
            "The first two means of z that the encoder gives the training "
            "kernels; circles at one and two standard deviations of p(z) "
            "(Figure 6).",
        ),
        exhibit.Figure(
            "training.png",
            "The bound in training, and what normals fitted to the same "
            "kernels reach on those held out.",
        ),
    ]
    exhibit.write(
        folder,
        f"Densities of {size} x {size} kernels for the deep weight prior "
        "(Figures 1 and 6)",
        [x for x in pictures if (folder / x.file).exists()],
        [
            exhibit.Table(
                f"Nats per kernel, mean and standard error; {trained:,} "
                f"kernels to train on, {held_out:,} held out.",
                heading,
                rows,
            ),
            _norms_table(results["norms"]),
        ],
        [
            "Bounds with 20 samples of z; importance-weighted ones with 200, "
            "on the first 1,000 kernels.",
        ],
        command,
    )
    exhibit.show(folder)


def _norms_table(norms):
    rows = [
        [name, *(f"{norm:.3f}" for norm in found)]
        for name, found in norms.items()
    ]
    return exhibit.Table(
        "Norms of kernels: of those to train on, and of "
        f"{_NUM_DRAWS:,} draws of the density.",
        ["", "5 %", "median", "95 %"],
        rows,
    )


def _row(name, found):
    kl = found["held_out"]["kl"]
    return [
        name,
        _text(found["train"]["bound"]),
        _text(found["held_out"]["bound"]),
        _text(_weighted(found)),
        "" if kl is None else _text(kl),
    ]


def _weighted(found):
    return found["held_out"]["importance_weighted"]


def _text(mean_and_error):
    mean, error = mean_and_error
    return f"{mean:.2f} ± {error:.2f}"

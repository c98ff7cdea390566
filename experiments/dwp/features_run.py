"""What `experiments.dwp_features` does."""

import time

import keras
import numpy as np

from experiments import epoch_bar
from experiments import shuffled
from experiments.dwp import features_report
from experiments.dwp import layer_densities
from experiments.dwp import networks
from experiments.dwp import run_folder

_BATCH_OF_FEATURES = 500


def run(config, runs, data_dir, folder, command):
    """Trains what is not there yet; see `experiments.dwp_features`.

    Args:
        config: a `settings.FeaturesConfig`.
        runs: a `settings.FeaturesRuns`.
        data_dir: where the images lie, or None.
        folder: a `pathlib.Path`.
        command: what was typed, for the report.

    Returns:
        The records of all runs in the folder.
    """
    run_folder.begin(folder, config)
    images = networks.load(config.dataset, data_dir)
    networks.check_counts(images, num_train=config.num_train)
    densities = dict.fromkeys(networks.names_of(config.dataset))
    if set(runs.initialisations) != {"xavier"}:
        densities = layer_densities.of_run(config, folder)
    extractors = {}
    for number in range(runs.num_runs):
        for scale in runs.scales:
            for how in runs.initialisations:
                one = {"initialisation": how, "scale": scale, "run": number}
                record = run_folder.once(
                    folder,
                    one,
                    lambda one=one: _find(
                        config, one, images, densities, extractors
                    ),
                )
                print(
                    f"run {number}, k = {scale:g}, {how}: accuracy "
                    f"{record['found']['accuracy']:.4f}",
                    flush=True,
                )
    found = run_folder.finish(folder, one)
    features_report.write(folder, config, found, command)
    return found


def _standardized(train, test, how):
    """Puts features on one scale, by those of the training images.

    The dense layers can say the same with others. But where features share a
    large mean or are small, Adam takes far longer, and a start would count by
    its scale.

    Args:
        train, test: `float32` arrays `(count, features)`.
        how: `"each"`, each feature by its own mean and standard deviation;
            `"all"`, all by one standard deviation.

    Returns:
        Both, standardised; what never varies is 0.
    """
    if how == "all":
        size = train.std()
        return train / size, test / size
    mean, std = train.mean(axis=0), train.std(axis=0)
    # The mean of equal numbers may round to another one.
    std[std <= 1e-6 * np.abs(mean)] = np.inf
    return (train - mean) / std, (test - mean) / std


def _find(config, one, images, densities, extractors):
    scale, seed = one["scale"], one["run"]
    start = time.perf_counter()
    if config.trains == "all" or scale not in extractors:
        extractors[scale] = keras.Sequential(
            networks.convolutions(config.dataset, scale)
        )
    extractor = extractors[scale]
    for name, kernel in layer_densities.initial_kernels(
        config.dataset, one["initialisation"], densities, seed, scale
    ).items():
        extractor.get_layer(name).kernel.assign(kernel)
    train = images.train_images[: config.num_train]
    test = images.test_images[: config.num_test]
    if config.trains == "all":
        before = [keras.Input(train.shape[1:]), extractor]
    else:
        train, test = (
            extractor.predict(some, batch_size=_BATCH_OF_FEATURES, verbose=0)
            for some in (train, test)
        )
        train, test = _standardized(train, test, config.normalization)
        before = [keras.Input(train.shape[1:])]
    keras.utils.set_random_seed(seed)
    network = keras.Sequential([*before, *networks.head(config.dataset, seed)])
    steps = -(-len(train) // config.batch_size) * config.epochs
    network.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.PolynomialDecay(
                config.learning_rate, steps, 0.0
            )
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    network.fit(
        shuffled.batches(
            (train, images.train_labels[: config.num_train]),
            config.batch_size,
            seed,
        ),
        shuffle=False,
        epochs=config.epochs,
        callbacks=[epoch_bar.EpochBar(f"training, {config.trains}")],
        verbose=0,
    )
    # Once more, since Keras' own are means over an epoch.
    (train_nll, train_accuracy), (nll, accuracy) = (
        network.evaluate(some, labels[: len(some)], batch_size=1000, verbose=0)
        for some, labels in (
            (train, images.train_labels),
            (test, images.test_labels),
        )
    )
    return {
        "accuracy": float(accuracy),
        "nll": float(nll),
        "train_accuracy": float(train_accuracy),
        "train_nll": float(train_nll),
        "num_features": int(extractor.output_shape[-1]),
        "seconds": time.perf_counter() - start,
    }

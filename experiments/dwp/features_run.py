"""What `experiments.dwp_features` does."""

import time

import keras

from experiments import epoch_bar
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


def _find(config, one, images, densities, extractors):
    scale, seed = one["scale"], one["run"]
    start = time.perf_counter()
    if scale not in extractors:
        extractors[scale] = keras.Sequential(
            networks.convolutions(config.dataset, scale)
        )
    extractor = extractors[scale]
    for name, kernel in layer_densities.initial_kernels(
        config.dataset, one["initialisation"], densities, seed, scale
    ).items():
        extractor.get_layer(name).kernel.assign(kernel)
    train, test = (
        extractor.predict(some, batch_size=_BATCH_OF_FEATURES, verbose=0)
        for some in (
            images.train_images[: config.num_train],
            images.test_images[: config.num_test],
        )
    )
    # One number, of which the classifier can say the same; without it, small
    # kernels would want large weights, and a start would count by its scale.
    size = train.std()
    train, test = train / size, test / size
    keras.utils.set_random_seed(seed)
    head = keras.Sequential(
        [keras.Input(train.shape[1:]), *networks.head(config.dataset, seed)]
    )
    steps = -(-len(train) // config.batch_size) * config.epochs
    head.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.PolynomialDecay(
                config.learning_rate, steps, 0.0
            )
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    head.fit(
        train,
        images.train_labels[: config.num_train],
        batch_size=config.batch_size,
        epochs=config.epochs,
        callbacks=[epoch_bar.EpochBar("dense layers")],
        verbose=0,
    )
    # Once more, since Keras' own are means over an epoch.
    (train_nll, train_accuracy), (nll, accuracy) = (
        head.evaluate(some, labels[: len(some)], batch_size=1000, verbose=0)
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
        "num_features": int(train.shape[1]),
        "std_of_features": float(size),
        "seconds": time.perf_counter() - start,
    }

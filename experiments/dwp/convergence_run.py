"""What `experiments.dwp_convergence` does."""

import time

import keras
import numpy as np

from experiments import files
from experiments.dwp import convergence_report
from experiments.dwp import image_autoencoder
from experiments.dwp import layer_densities
from experiments.dwp import networks
from experiments.dwp import run_folder
from experiments.dwp import snapshot

_MARKS = {
    "classifier": (10, 20, 50, 100, 150, 200, 300, 400, 600, 800, 1000),
    "autoencoder": (50, 100, 200, 300, 400, 500, 600, 800, 1000),
}
_BATCH_OF_TEST = 500
# Images of Figure 7, for each initialisation and mark.
NUM_SAMPLES = 6


def run(config, runs, data_dir, folder, command):
    """Trains what is not there yet; see `experiments.dwp_convergence`.

    Args:
        config: a `settings.ConvergenceConfig`.
        runs: a `settings.ConvergenceRuns`.
        data_dir: where the images lie, or None.
        folder: a `pathlib.Path`.
        command: what was typed, for the report.

    Returns:
        The records of all runs in the folder.
    """
    run_folder.begin(folder, config)
    images = networks.load(config.dataset, data_dir)
    networks.check_counts(images, num_test=config.num_test)
    densities = layer_densities.of_run(config, folder)
    made = {}
    for number in range(runs.num_runs):
        for network in runs.networks:
            for how in runs.initialisations:
                one = {
                    "network": network,
                    "initialisation": how,
                    "num_steps": runs.num_steps[network],
                    "run": number,
                }
                record = run_folder.once(
                    folder,
                    one,
                    lambda one=one: _find(
                        config, one, images, densities, folder, made
                    ),
                )
                values = record["found"]["values"]
                print(
                    f"run {number}, {network}, {how}: {values[0]:.4g} after "
                    f"{record['found']['steps'][0]} steps, {values[-1]:.4g} "
                    f"after {record['found']['steps'][-1]}",
                    flush=True,
                )
    found = run_folder.finish(folder, one)
    convergence_report.write(folder, config, found, command)
    return found


def marks(network, num_steps):
    """Returns the steps after which a network is looked at."""
    return [
        *(mark for mark in _MARKS[network] if mark < num_steps),
        num_steps,
    ]


def _find(config, one, images, densities, folder, made):
    network, seed = one["network"], one["run"]
    start = time.perf_counter()
    if network not in made:
        kind = _Classifier if network == "classifier" else _Autoencoder
        made[network] = kind(config)
    model = made[network]
    model.begin(one["initialisation"], densities, seed)
    order = np.random.default_rng(seed)
    batch_size = min(config.batch_size, len(images.train_images))
    places, values, samples = np.array([], int), [], []
    steps = marks(network, one["num_steps"])
    for step in range(1, one["num_steps"] + 1):
        if len(places) < batch_size:
            places = order.permutation(len(images.train_images))
        chosen, places = places[:batch_size], places[batch_size:]
        model.step(images.train_images[chosen], images.train_labels[chosen])
        if step in steps:
            values.append(
                model.measure(
                    images.test_images[: config.num_test],
                    images.test_labels[: config.num_test],
                )
            )
            samples.append(model.samples())
    if network == "autoencoder":
        there = folder / "samples"
        there.mkdir(exist_ok=True)
        path = convergence_report.samples_path(folder, one)
        with files.replacing(path) as temporary:
            np.savez(temporary, steps=steps, samples=samples)
    return {
        "steps": steps,
        "values": values,
        "seconds": time.perf_counter() - start,
    }


class _Classifier:
    def __init__(self, config):
        self._config = config
        self._model = networks.classifier(config.dataset, 0)
        self._model.compile(
            keras.optimizers.Adam(config.learning_rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=False,
        )
        self._model.optimizer.build(self._model.trainable_variables)
        self._first = snapshot.Snapshot(self._model)

    def begin(self, how, densities, seed):
        """Puts the network where a run begins."""
        self._first.restore()
        fresh = networks.classifier(self._config.dataset, seed)
        self._model.set_weights(fresh.get_weights())
        for name, kernel in layer_densities.initial_kernels(
            self._config.dataset, how, densities, seed
        ).items():
            self._model.get_layer(name).kernel.assign(kernel)

    def step(self, images, labels):
        """Makes one step."""
        self._model.train_on_batch(images, labels)

    def measure(self, images, labels):
        """Returns the accuracy."""
        logits = self._model.predict(
            images, batch_size=_BATCH_OF_TEST, verbose=0
        )
        return float(np.mean(logits.argmax(axis=1) == labels))

    def samples(self):
        """Returns None: there is nothing to draw."""


class _Autoencoder:
    def __init__(self, config):
        form = image_autoencoder.FORMS[config.dataset]
        self._model = image_autoencoder.ImageAutoencoder(form)
        self._model.compile(
            keras.optimizers.Adam(config.learning_rate), jit_compile=False
        )
        self._model.optimizer.build(self._model.trainable_variables)
        self._first = snapshot.Snapshot(self._model)

    def begin(self, how, densities, seed):
        """Puts the network where a run begins."""
        self._first.restore()
        fresh = image_autoencoder.ImageAutoencoder(self._model.form, seed)
        self._model.set_weights(fresh.get_weights())
        self._model.seed_generator.state.assign([seed, 0])
        for index, (name, kernel) in enumerate(self._model.kernels().items()):
            # All kernels of the decoder have the size of the second layer's.
            density = densities["conv1" if name == "conv1" else "conv2"]
            kernel.assign(
                layer_densities.draw(
                    how, density, tuple(kernel.shape), 10 * seed + index
                )
            )

    def step(self, images, labels):
        """Makes one step."""
        del labels
        self._model.train_on_batch(images)

    def measure(self, images, labels):
        """Returns the mean bound, nats."""
        del labels
        found = self._model.predict(
            images, batch_size=_BATCH_OF_TEST, verbose=0
        )
        return float(np.mean(found))

    def samples(self):
        """Returns images of a few z, always the same ones."""
        z = np.random.default_rng(0).normal(
            size=(NUM_SAMPLES, self._model.form.latent_dim)
        )
        logits = np.asarray(self._model.decoder(z.astype(np.float32)))
        shown = 255 / (1 + np.exp(-logits[..., 0]))
        return np.round(shown).astype(np.uint8)

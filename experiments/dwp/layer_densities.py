"""What each convolution of a network has: learned kernels, and densities.

Every density is fitted to the kernels of one layer of source networks, as in
Atanov et al., arXiv:1810.06943, Sec. 3.3.
"""

import typing

import keras
import numpy as np

import bbh_tf as bbh
from experiments import files
from experiments import flag_checks
from experiments import model_files
from experiments import strategies
from experiments.dwp import densities
from experiments.dwp import networks
from experiments.dwp import released
from experiments.dwp import settings
from experiments.dwp import source_networks
from experiments.errors import ExperimentError

# For the digits: networks on letters, and how long they are trained.
_SOURCES = settings.SourcesConfig("letters", num_networks=2, epochs=15)
_DIGITS_STEPS = 1200
_PAPER_EPOCHS = 300
_BATCH_SIZE = 128
# A flow's steps, whatever the number of kernels.
_FLOW_STEPS = 3000


class LayerDensity(typing.NamedTuple):
    """What one convolution has.

    Attributes:
        kernels: learned ones, `(count, k, k)`.
        autoencoder: a `bbh_tf.models.KernelAutoencoder`.
    """

    kernels: np.ndarray
    autoencoder: typing.Any


def of_run(config, folder, strategy=None):
    """Loads what a command's networks have; see `load`.

    Of several workers the first makes what is not given, and the others find
    it in the folder.

    Args:
        config: settings with `dataset`, `kernels` and `autoencoders`.
        folder: the command's, a `pathlib.Path`.
        strategy: the `tf.distribute.Strategy` of all workers; None for the
            one in force.

    Returns:
        Dictionary from names of layers to `LayerDensity`.

    Raises:
        ExperimentError: if a file is not what is expected.
    """
    with strategies.first_alone(strategy):
        return load(
            config.dataset,
            config.kernels,
            config.autoencoders,
            folder / "prior",
        )


def load(dataset, kernels, autoencoders, folder):
    """Reads kernels and autoencoders; makes what is not given.

    Args:
        dataset: a key of `networks.ARCHITECTURES`.
        kernels: files, one for each convolution; none, for the digits, for
            those of networks on letters that are trained here.
        autoencoders: files, one for each convolution, of released ones
            (`.npz`) or of `experiments.dwp_prior` (`.keras`); none to train
            them here on the kernels.
        folder: where what is made is kept, a `pathlib.Path`.

    Returns:
        Dictionary from names of layers to `LayerDensity`.

    Raises:
        ExperimentError: if a file is not what is expected.
    """
    names = networks.names_of(dataset)
    folder.mkdir(exist_ok=True)
    if not kernels:
        kernels = _letters(folder, names)
    elif len(kernels) != len(names):
        raise ExperimentError(
            f"--kernels: expected {len(names)} files, one for each "
            f"convolution of {dataset}; got {len(kernels)}."
        )
    if autoencoders and len(autoencoders) != len(names):
        raise ExperimentError(
            f"--autoencoders: expected {len(names)} files, one for each "
            f"convolution of {dataset}; got {len(autoencoders)}."
        )
    found = {}
    for index, name in enumerate(names):
        size = networks.ARCHITECTURES[dataset].convolutions[index].size
        with flag_checks.naming("kernels"):
            some = released.load_kernels(kernels[index])
        if some.shape[1] != size:
            raise ExperimentError(
                f"--kernels: {kernels[index]}: expected kernels of {size} x "
                f"{size} for {name}; got {some.shape[1]} x {some.shape[1]}."
            )
        if autoencoders:
            with flag_checks.naming("autoencoders"):
                made = _read(autoencoders[index], size)
        else:
            made = _trained(folder / f"{name}.keras", some, dataset)
        found[name] = LayerDensity(some, made)
    return found


def prior(kind, density, num_slices, train_reverse):
    """Makes a prior of a layer's density.

    Args:
        kind: `"dwp"`, `"kernel_normal"` or `"kernel_flow"`; with
            `"dwp_importance"`, ten importance samples; `"dwp_hypernet"`, of
            whose density nothing is asked.
        density: a `LayerDensity`.
        num_slices: slices that a step looks at.
        train_reverse: whether r(z | w) trains with the posterior.

    Returns:
        A `bbh_tf.priors.Prior`.
    """
    kernels, autoencoder = density
    if kind in ("dwp", "dwp_importance", "dwp_hypernet"):
        return autoencoder.as_prior(
            train_reverse=train_reverse and kind != "dwp_hypernet",
            num_importance_samples=10 if kind == "dwp_importance" else 1,
            num_slices=num_slices,
        )
    size = kernels.shape[1]
    if kind == "kernel_normal":
        made = bbh.priors.KernelNormal(size, num_slices=num_slices)
        made.fit(kernels)
        return made
    # Flow and order of the kernels: the same whenever it is asked for.
    keras.utils.set_random_seed(0)
    made = bbh.priors.KernelFlow(size, num_slices=num_slices)
    made.fit(kernels, num_epochs=_epochs(len(kernels), _FLOW_STEPS))
    return made


def initial_kernels(dataset, how, densities, seed, scale=1.0):
    """Draws the kernels of all convolutions of a network; see `draw`.

    Args:
        dataset: a key of `networks.ARCHITECTURES`.
        how: see `draw`.
        densities: dictionary from names of layers to `LayerDensity`.
        seed: an integer.
        scale: factor on the numbers of filters.

    Returns:
        Dictionary from names of layers to arrays.
    """
    shapes = networks.kernel_shapes(dataset, scale)
    return {
        name: draw(how, densities[name], shapes[name], 10 * seed + index)
        for index, name in enumerate(densities)
    }


def draw(how, density, shape, seed):
    """Draws a layer's initial kernel.

    Args:
        how: `"samples"`, draws of the autoencoder's density; `"means"`, means
            of p(w | z) for draws of z; `"filters"`, learned kernels, none
            twice while there are enough; `"xavier"`, normal with the variance
            2 / (fan-in + fan-out).
        density: a `LayerDensity`.
        shape: `(height, width, inputs, outputs)`.
        seed: an integer.

    Returns:
        `float32` array of that shape.
    """
    height, width, inputs, outputs = shape
    count = inputs * outputs
    if how == "xavier":
        initializer = keras.initializers.GlorotNormal(seed)
        return np.asarray(initializer(shape), np.float32)
    if how == "filters":
        generator = np.random.default_rng(seed)
        times = -(-count // len(density.kernels))
        order = np.concatenate(
            [generator.permutation(len(density.kernels)) for _ in range(times)]
        )
        slices = density.kernels[order[:count]]
    else:
        drawn, means = densities.samples(density.autoencoder, count, seed)
        slices = drawn if how == "samples" else means
    apart = np.asarray(slices).reshape(inputs, outputs, height, width)
    return np.ascontiguousarray(apart.transpose(2, 3, 0, 1))


def _letters(folder, names):
    """Trains source networks on letters, unless their kernels are there."""
    paths = [folder / f"kernels_{name}.npy" for name in names]
    if not all(path.exists() for path in paths):
        images, labels = source_networks.load("letters", None)
        found = []
        for seed in range(_SOURCES.num_networks):
            network, _ = source_networks.train(images, labels, _SOURCES, seed)
            found.append(source_networks.slices(network))
        for name, path in zip(names, paths):
            every = np.concatenate([layers[name] for layers in found])
            kept = source_networks.kept(every, "letters")
            with files.replacing(path) as temporary:
                np.save(temporary, kept)
    return paths


def _read(path, size):
    if str(path).endswith(".npz"):
        return released.load_autoencoder(path, size)
    model = model_files.load(
        path, "an autoencoder of dwp_prior, .keras, or a released one, .npz"
    )
    if (
        not isinstance(model, bbh.models.KernelAutoencoder)
        or model.kernel_size != size
    ):
        raise ExperimentError(
            f"{path}: expected an autoencoder of {size} x {size} kernels."
        )
    return model


def _trained(path, kernels, dataset):
    """Trains an autoencoder, unless it is there."""
    if path.exists():
        return model_files.load(path, "an autoencoder")
    epochs = _PAPER_EPOCHS
    if dataset == "digits":
        epochs = _epochs(len(kernels), _DIGITS_STEPS)
    config = settings.PriorConfig((), epochs=epochs, batch_size=_BATCH_SIZE)
    model, _ = densities.train(kernels, None, config)
    with files.replacing(path) as temporary:
        model.save(temporary)
    return model


def _epochs(num_kernels, num_steps):
    return -(-num_steps // -(-num_kernels // _BATCH_SIZE))

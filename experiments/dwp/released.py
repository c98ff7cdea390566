"""The kernels and autoencoders that Atanov et al. released, as files."""

import pathlib

import numpy as np

import bbh_tf as bbh
from experiments import arrays
from experiments.errors import ExperimentError

# Autoencoder of a kernel size -> its parts of the file, in order of depth.
_PARTS = {
    7: {
        "encoder": [f"encoder.features.{i}" for i in (0, 2, 4)],
        "encoder_heads": ["encoder.fc_mu", "encoder.fc_var"],
        "decoder": [f"decoder.decoder.{i}" for i in (0, 2, 4)],
        "decoder_heads": ["decoder.fc_mu", "decoder.fc_var"],
    },
    5: {
        "encoder": [f"encoder.features.{i}" for i in (0, 2, 4, 6)],
        "encoder_heads": ["encoder.fc_mu", "encoder.fc_sigma"],
        "decoder": [f"decoder.decoder.{i}" for i in (0, 2, 4, 6)],
        "decoder_heads": ["decoder.fc_mu.0", "decoder.fc_var.0"],
    },
}


def load_kernels(path):
    """Reads slices from a file.

    Args:
        path: of an `.npy` of `(count, k, k)`, or of an `.npz` of
            `experiments.dwp_sources`, whose arrays are joined.

    Returns:
        `float32` array `(count, k, k)`, k odd.

    Raises:
        ExperimentError: if it is not such a file.
    """
    try:
        if pathlib.Path(path).suffix == ".npz":
            found = np.concatenate(list(arrays.read(path).values()))
        else:
            found = np.load(path, allow_pickle=False)
        kernels = np.asarray(found, np.float32)
    except (OSError, TypeError, ValueError, EOFError) as error:
        raise ExperimentError(
            f"{path}: expected kernels (count, k, k), .npy or .npz; {error}"
        ) from error
    shape = kernels.shape
    if len(shape) != 3 or shape[1] != shape[2] or shape[1] % 2 == 0:
        raise ExperimentError(
            f"{path}: expected kernels (count, k, k), k odd; got {shape}."
        )
    if not len(kernels) or not np.isfinite(kernels).all():
        raise ExperimentError(f"{path}: expected finite kernels, at least one.")
    return kernels


def load_autoencoder(path, kernel_size):
    """Makes an autoencoder of the parameters of a released one.

    Args:
        path: of `vae7x7.npz` or `vae5x5.npz`, names and axes PyTorch's:
            convolutions (out, in, h, w), transposed ones (in, out, h, w).
        kernel_size: 7 or 5.

    Returns:
        A `bbh_tf.models.KernelAutoencoder`.

    Raises:
        ExperimentError: if the file does not hold them.
    """
    if not pathlib.Path(path).is_file() or kernel_size not in _PARTS:
        raise ExperimentError(
            f"{path}: expected the file of a released autoencoder of 7 x 7 or "
            f"5 x 5 kernels; {kernel_size} x {kernel_size} is asked for."
        )
    file = arrays.read(path)
    parts = _PARTS[kernel_size]
    wanted = {
        f"{name}.{what}"
        for names in parts.values()
        for name in names
        for what in ("weight", "bias")
    }
    if not wanted <= set(file):
        raise ExperimentError(
            f"{path}: expected the parameters of a released autoencoder; got "
            f"no {min(wanted - set(file))}."
        )
    made = bbh.models.KernelAutoencoder(kernel_size, scale=1.0)
    for network, names, is_transposed in (
        (made.encoder, [*parts["encoder"], *parts["encoder_heads"]], False),
        (made.decoder, [*parts["decoder"], *parts["decoder_heads"]], True),
    ):
        values = []
        for name in names:
            kernel, bias = file[f"{name}.weight"], file[f"{name}.bias"]
            # Its first and last layers of one pixel are plain convolutions
            # there; at one pixel, transposed, only the channels trade places.
            is_plain = kernel.shape[2:] == (1, 1)
            if is_transposed and is_plain and "decoder.decoder" in name:
                kernel = kernel.transpose(1, 0, 2, 3)
            kernel = kernel.transpose(2, 3, 1, 0)
            if "encoder.fc" in name:
                kernel = kernel[0, 0]
            values += [kernel, bias]
        shapes = [tuple(x.shape) for x in network.weights]
        if [x.shape for x in values] != shapes:
            raise ExperimentError(
                f"{path}: expected parameters {shapes}; got "
                f"{[x.shape for x in values]}."
            )
        network.set_weights(values)
    return made

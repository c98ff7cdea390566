"""The kernels of a trained network, slice by slice."""

import keras
import numpy as np

from bbh_tf import checks


def kernel_slices(layer, min_norm=0.0):
    """Returns the slices of a 2-D convolution's kernel.

    Args:
        layer: a built `keras.layers.Conv2D`, or its kernel, an array
            `(height, width, inputs, outputs)`.
        min_norm: Euclidean norm that a slice must have to be returned. The
            paper drops those of small norm, which its source networks'
            regulariser leaves many of.

    Returns:
        `float32` array `(count, height, width)`.

    Raises:
        ValueError: if `layer` is neither, or the kernel is not finite.

    References:
        Atanov et al., The Deep Weight Prior, arXiv:1810.06943, Sec. 3.3.
    """
    checks.check_factor("min_norm", min_norm)
    kernel = layer
    if isinstance(layer, keras.layers.Layer):
        is_fit = isinstance(layer, keras.layers.Conv2D) and layer.built
        if not is_fit:
            raise ValueError(
                "kernel_slices expects a built Conv2D; got "
                f"{type(layer).__name__} {layer.name!r}."
            )
        kernel = keras.ops.convert_to_numpy(layer.kernel)
    kernel = np.asarray(kernel, np.float32)
    if kernel.ndim != 4 or not np.isfinite(kernel).all():
        raise ValueError(
            "kernel_slices expects a finite kernel (height, width, inputs, "
            f"outputs); got shape {kernel.shape}, "
            f"{np.isfinite(kernel).mean():.1%} of it finite."
        )
    slices = kernel.transpose(2, 3, 0, 1).reshape(-1, *kernel.shape[:2])
    return slices[np.linalg.norm(slices, axis=(1, 2)) >= min_norm]

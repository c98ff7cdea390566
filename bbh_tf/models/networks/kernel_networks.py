"""Encoders, decoders and transitions of `KernelAutoencoder`."""

import warnings

import keras
import numpy as np

_PAPER_7X7 = 7
# Of kernels, a root mean square: of the paper's 7 x 7, and what is small.
_USUAL = 0.2
_SMALL = 0.1
# Width of a transition's hidden layer.
_UNITS = 32
# Of convolutions, whatever Keras is set to.
_FORMAT = {"data_format": "channels_last", "dtype": "float32"}


def encoder(kernel_size, latent_dim, scale=1.0):
    """Makes r(z | w).

    At 7 x 7, three 3 x 3 convolutions of 32, 64 and 64 filters; at other sizes
    two of 64 that keep the size, then as many of 128 as bring it to one pixel.
    At 5 x 5 that is the paper's.

    Args:
        kernel_size: height and width of a kernel, odd.
        latent_dim: dimension of z.
        scale: what kernels are divided by.

    Returns:
        A `keras.Model` from `(n, kernel_size, kernel_size)` to means and
        variances, each `(n, latent_dim)`.

    References:
        Atanov et al., arXiv:1810.06943, App. F and H.1.
    """
    if kernel_size == _PAPER_7X7:
        convolutions = [(32, "valid"), (64, "valid"), (64, "valid")]
    else:
        reductions = [(128, "valid")] * (kernel_size // 2)
        convolutions = [(64, "same"), (64, "same"), *reductions]
    inputs = keras.Input((kernel_size, kernel_size))
    x = keras.layers.Reshape((kernel_size, kernel_size, 1), dtype="float32")(
        inputs
    )
    x = _times(x, 1.0 / scale, "in_units_of_the_scale")
    for filters, padding in convolutions:
        x = keras.layers.Conv2D(
            filters, 3, padding=padding, activation="elu", **_FORMAT
        )(x)
    x = keras.layers.Flatten(dtype="float32")(x)
    return keras.Model(inputs, _heads(x, latent_dim), name="reverse")


def decoder(kernel_size, latent_dim, scale=1.0):
    """Makes p(w | z), the mirror image of `encoder`.

    Returns:
        A `keras.Model` from `(n, latent_dim)` to means and variances, each
        `(n, kernel_size, kernel_size)`.

    References:
        Atanov et al., arXiv:1810.06943, App. F and H.1.
    """
    if kernel_size == _PAPER_7X7:
        convolutions = [(64, 3), (64, 3), (32, 3)]
    else:
        convolutions = [(128, 1), *[(128, 3)] * (kernel_size // 2), (64, 1)]
    inputs = keras.Input((latent_dim,))
    x = keras.layers.Reshape((1, 1, latent_dim), dtype="float32")(inputs)
    for filters, size in convolutions:
        x = keras.layers.Conv2DTranspose(
            filters, size, activation="elu", **_FORMAT
        )(x)
    shape = kernel_size, kernel_size
    outputs = []
    for name, activation, factor in (
        ("mean", None, scale),
        ("variance", "softplus", scale**2),
    ):
        output = keras.layers.Conv2D(
            1, 1, activation=activation, name=name, **_FORMAT
        )(x)
        output = keras.layers.Reshape(shape, dtype="float32")(output)
        outputs.append(_times(output, factor, f"{name}_of_kernels"))
    return keras.Model(inputs, outputs, name="decoder")


def transitions(latent_dim, count, name):
    """Makes p(z_{t+1} | z_t), or r(z_t | z_{t+1}), around where they come from.

    Args:
        latent_dim: dimension of z.
        count: how many, t = 0, 1, ...
        name: of the models, before t.

    Returns:
        List of `keras.Model` from `(n, latent_dim)` to means and variances of
        that shape.

    References:
        Atanov et al., arXiv:1810.06943, Eq. 9; the paper gives no network.
    """
    return [_transition(latent_dim, f"{name}_{step}") for step in range(count)]


def _transition(latent_dim, name):
    inputs = keras.Input((latent_dim,))
    x = keras.layers.Dense(_UNITS, activation="elu", dtype="float32")(inputs)
    change, variance = _heads(x, latent_dim)
    mean = keras.layers.Add(dtype="float32")([inputs, change])
    return keras.Model(inputs, [mean, variance], name=name)


def warn_of_small(kernels):
    """Warns of kernels that are too small for networks without a scale.

    Args:
        kernels: array `(n, kernel_size, kernel_size)`.
    """
    size = float(np.sqrt(np.mean(np.square(kernels, dtype=np.float64))))
    if not 0 < size < _SMALL:
        return
    warnings.warn(
        f"Kernels of a root mean square of {size:.2g} are small for the "
        "paper's networks: in a few thousand steps they may learn little, and "
        "draw kernels that are far too large. Expected "
        f"KernelAutoencoder(scale={size / _USUAL:.2g}), or scale=1 to go "
        "without.",
        # Past `fit`, to the line of who called it.
        stacklevel=3,
    )


def _times(x, factor, name):
    if factor == 1:
        return x
    return keras.layers.Rescaling(factor, name=name, dtype="float32")(x)


def _heads(x, size):
    return [
        keras.layers.Dense(
            size, activation=activation, name=name, dtype="float32"
        )(x)
        for name, activation in (("mean", None), ("variance", "softplus"))
    ]

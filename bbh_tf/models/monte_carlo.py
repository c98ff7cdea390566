"""MC dropout of the dropout that a network has."""

import warnings

import keras

from bbh_tf import checks
from bbh_tf.layers import copying
from bbh_tf.layers import selection
from bbh_tf.layers.mc_dropout import MCDropout
from bbh_tf.models import cloning
from bbh_tf.models import layer_values

_DROPOUT = (
    keras.layers.AlphaDropout,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
)

# Axes of the inputs along which a mask is repeated, besides the batch.
_SPATIAL = {
    keras.layers.SpatialDropout1D: 1,
    keras.layers.SpatialDropout2D: 2,
    keras.layers.SpatialDropout3D: 3,
}


def with_dropout(network, dropout):
    """Returns a copy of a network whose dropout is on at prediction too.

    Args:
        network: a built functional or sequential `keras.Model`.
        dropout: `"keras"`.

    Returns:
        A `keras.Model` with `MCDropout` in the places of Keras' dropout.

    Raises:
        ValueError: if `dropout` is another, or there is no such layer.

    Warns:
        UserWarning: naming layers with dropout of another kind.
    """
    if dropout != "keras":
        raise ValueError(
            f'bayesify expects dropout to be "keras" or None; got {dropout!r}.'
        )

    def replace(layer):
        made = _of(layer)
        return copying.copy_of(layer) if made is None else made

    copy, pairs = cloning.clone(network, replace)
    if not any(isinstance(new, MCDropout) for _, new in pairs):
        raise ValueError(
            'bayesify expects a network with Dropout layers for dropout="keras"'
            f"; {network.name!r} has none that it can reach."
        )
    for old, new in pairs:
        if not isinstance(new, MCDropout):
            layer_values.assign(old, new)
    _warn_of_others([new for _, new in pairs])
    return copy


def _warn_of_others(layers):
    """Warns of dropout that stays as it is, off at prediction."""
    names = [
        layer.name
        for layer in layers
        if any(map(_drops, selection.sublayers_of(layer)))
    ]
    if names:
        warnings.warn(
            "Dropout and SpatialDropout become MCDropout; what "
            f"{', '.join(names)} drops by other means stays off at prediction.",
            stacklevel=4,
        )


def _drops(layer):
    if isinstance(layer, MCDropout):
        return False
    if isinstance(layer, _DROPOUT):
        return layer.rate > 0
    # Of recurrent layers, and of attention.
    rates = (
        getattr(layer, name, 0) for name in ("dropout", "recurrent_dropout")
    )
    return any(checks.is_positive(rate) for rate in rates)


def _of(layer):
    """Returns the `MCDropout` for a layer; None for what is no dropout."""
    if type(layer) is keras.layers.Dropout:
        noise_shape = layer.noise_shape
    elif type(layer) in _SPATIAL:
        count = _SPATIAL[type(layer)]
        channels_first = getattr(layer, "data_format", "") == "channels_first"
        space = (1,) * count
        noise_shape = (None, None, *space) if channels_first else None
        noise_shape = noise_shape or (None, *space, None)
    else:
        return None
    return MCDropout(
        layer.rate,
        noise_shape=noise_shape,
        seed=layer.seed,
        name=layer.name,
        dtype=layer.dtype_policy,
    )

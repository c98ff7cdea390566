"""The authors' networks, with the dropout that a method asks for."""

import keras

import bbh_tf as bbh


class WeightDecay(keras.regularizers.Regularizer):
    """A factor times the sum of squares; the factor can be set at any time.

    Args:
        factor: the first factor, a number >= 0.
    """

    def __init__(self, factor):
        self.factor = keras.Variable(factor, trainable=False, dtype="float32")

    def __call__(self, weights):
        """Returns the penalty of a kernel, a scalar."""
        return self.factor * keras.ops.sum(keras.ops.square(weights))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {"factor": float(keras.ops.convert_to_numpy(self.factor))}


def multilayer(image_shape, units, dropout_rate, decay):
    """Makes dense layers, each with dropout after it.

    Args:
        image_shape: tuple `(height, width, channels)`.
        units: widths of the hidden layers, a tuple.
        dropout_rate: rate after each hidden layer; 0 makes a fixed network
            that predicts like the others, None has no such layer.
        decay: regulariser of all kernels, or None.

    Returns:
        A `keras.Sequential` from images to ten logits.
    """
    layers = [keras.Input(image_shape), keras.layers.Flatten()]
    for width in units:
        layers.append(_dense(width, "relu", decay))
        layers += _dropout(dropout_rate)
    return keras.Sequential([*layers, _dense(10, None, decay)])


def active_learning(image_shape, filters, units, dropout_rates, decay=None):
    """Makes the network of Gal, Islam and Ghahramani's active learning.

    Two 3x3 convolutions, a pooling, dropout, a dense layer with weight decay,
    dropout; 330 output units in all at 32 filters and 256 units.

    Args:
        image_shape: tuple `(height, width, channels)`.
        filters: of each convolution.
        units: of the dense layer.
        dropout_rates: two rates, or None for no such layers.
        decay: regulariser of the dense layer's kernel, or None.

    Returns:
        A `keras.Sequential` from images to ten logits.
    """
    pool = 5 if image_shape[0] > 20 else 2
    first, second = dropout_rates or (None, None)
    return keras.Sequential(
        [
            keras.Input(image_shape),
            keras.layers.Conv2D(filters, 3, activation="relu"),
            keras.layers.Conv2D(filters, 3, activation="relu"),
            keras.layers.MaxPooling2D(pool),
            *_dropout(first),
            keras.layers.Flatten(),
            _dense(units, "relu", decay),
            *_dropout(second),
            _dense(10, None, None),
        ]
    )


def cifar10(image_shape, filters, units, dropout_rate):
    """Makes the authors' network for CIFAR-10.

    Four 5x5 convolutions, each second one with a pooling, and a dense layer.

    Args:
        image_shape: tuple `(height, width, channels)`.
        filters: of each convolution; 192 in the authors' code.
        units: of the dense layer; 1,000 there.
        dropout_rate: see `multilayer`; after the dense layer.

    Returns:
        A `keras.Sequential` from images to ten logits.
    """
    layers = [keras.Input(image_shape)]
    for _ in range(2):
        for _ in range(2):
            layers.append(
                keras.layers.Conv2D(
                    filters, 5, padding="same", activation="relu"
                )
            )
        layers.append(keras.layers.MaxPooling2D())
    layers += [keras.layers.Flatten(), _dense(units, "relu", None)]
    layers += _dropout(dropout_rate)
    return keras.Sequential([*layers, _dense(10, None, None)])


def _dense(width, activation, decay):
    return keras.layers.Dense(
        width, activation=activation, kernel_regularizer=decay
    )


def _dropout(rate):
    return [] if rate is None else [bbh.layers.MCDropout(rate)]

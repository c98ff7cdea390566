"""The LeNet of the paper's MNIST experiments."""

import keras

from bbh_tf import checks
from bbh_tf.layers.mc_dropout import MCDropout
from bbh_tf.models import of_posteriors
from bbh_tf.models.bayesify import bayesify
from bbh_tf.models.networks import kernel_settings


def lenet(
    posterior=None,
    prior=None,
    scope="layer",
    input_shape=(28, 28, 1),
    num_classes=10,
    units=(20, 50, 500),
    kernel_size=5,
    kernel_regularizer=None,
    dropout_rate=0.0,
    convolution=keras.layers.Conv2D,
    dense=keras.layers.Dense,
    start="random",
    kernel_initializer=None,
):
    """Makes a LeNet: 431,080 weights at the defaults.

    Convolution, ReLU, 2 x 2 max-pooling, twice; a hidden layer; logits.

    Every method of the paper is a choice of arguments: `posterior` for Bayes
    by Hypernet and Bayes by Backprop, `dropout_rate=0.5` for MC dropout,
    `convolution=bbh_tf.layers.MNFConv2D, dense=bbh_tf.layers.MNFDense` for
    multiplicative normalizing flows.

    Args:
        posterior: recipe of the posterior of all weights; None for a plain
            network.
        prior: prior of each weight; None for N(0, 1).
        scope: `"layer"` or `"network"`, as `bbh_tf.models.bayesify` takes it.
        input_shape: shape of an image, `(height, width, channels)`.
        num_classes: number of classes.
        units: filters of the two convolutions and units of the hidden layer.
        kernel_size: height and width of the filters.
        kernel_regularizer: regulariser of all kernels, as Keras takes it.
        dropout_rate: rate of an `MCDropout` layer after each ReLU; 0 for none.
        convolution: callable that makes the convolutions, as
            `keras.layers.Conv2D` does.
        dense: callable that makes the dense layers, as `keras.layers.Dense`.
        start: `"random"` or `"pretrained"`, as `bayesify` takes it: around the
            weights that a plain network begins with.
        kernel_initializer: initialiser of all kernels, as Keras takes it;
            None for the layers' own, Glorot's. With a posterior it needs
            `start="pretrained"`.

    Returns:
        A `keras.Sequential` or functional model from images to logits,
        `(batch, num_classes)`.

    Raises:
        ValueError: if the image is too small for the filters, or an argument
            is given that is a posterior's, and no posterior, or that a
            posterior ignores; or if Keras is set to channels first.

    References:
        Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
        arXiv:1711.01297, Sec. 3.1 and the authors' code.
    """
    checks.check_channels_last(lenet)
    first, second, hidden = units
    smallest = min(input_shape[:2])
    after_pooling = -(-(smallest - kernel_size + 1) // 2)
    if after_pooling < kernel_size:
        raise ValueError(
            f"A LeNet with {kernel_size} x {kernel_size} filters needs larger "
            f"images than {tuple(input_shape)}."
        )
    of_posteriors.check_kernels(lenet, posterior, start, kernel_initializer)
    settings = kernel_settings.each_layers(
        kernel_initializer, kernel_regularizer
    )

    def dropout(name):
        return [MCDropout(dropout_rate, name=name)] if dropout_rate else []

    network = keras.Sequential(
        [
            keras.Input(input_shape),
            convolution(
                first,
                kernel_size,
                activation="relu",
                name="conv1",
                **settings(),
            ),
            *dropout("dropout1"),
            keras.layers.MaxPool2D(2, padding="same", name="pool1"),
            convolution(
                second,
                kernel_size,
                activation="relu",
                name="conv2",
                **settings(),
            ),
            *dropout("dropout2"),
            keras.layers.MaxPool2D(2, padding="same", name="pool2"),
            keras.layers.Flatten(name="flatten"),
            dense(hidden, activation="relu", name="fc1", **settings()),
            *dropout("dropout3"),
            dense(num_classes, name="fc2", **settings()),
        ],
        name="lenet",
    )
    if posterior is None:
        of_posteriors.check_unused(lenet, prior=prior, scope=scope, start=start)
        return network
    return bayesify(network, posterior, prior, scope, start=start)

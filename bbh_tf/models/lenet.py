"""The LeNet of the paper's MNIST experiments."""

import keras

from bbh_tf.models.bayesify import bayesify


def lenet(
    posterior=None,
    prior=None,
    scope="layer",
    input_shape=(28, 28, 1),
    num_classes=10,
    units=(20, 50, 500),
    kernel_size=5,
    kernel_regularizer=None,
):
    """Makes a LeNet: 431,080 weights at the defaults.

    Convolution, ReLU, 2 x 2 max-pooling, twice; a hidden layer; logits.

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

    Returns:
        A `keras.Sequential` or functional model from images to logits,
        `(batch, num_classes)`.

    Raises:
        ValueError: if the image is too small for the filters.

    References:
        Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
        arXiv:1711.01297, Sec. 3.1 and the authors' code.
    """
    first, second, hidden = units
    smallest = min(input_shape[:2])
    after_pooling = -(-(smallest - kernel_size + 1) // 2)
    if after_pooling < kernel_size:
        raise ValueError(
            f"A LeNet with {kernel_size} x {kernel_size} filters needs larger "
            f"images than {tuple(input_shape)}."
        )
    regularized = {"kernel_regularizer": kernel_regularizer}
    network = keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Conv2D(
                first,
                kernel_size,
                activation="relu",
                name="conv1",
                **regularized,
            ),
            keras.layers.MaxPool2D(2, padding="same", name="pool1"),
            keras.layers.Conv2D(
                second,
                kernel_size,
                activation="relu",
                name="conv2",
                **regularized,
            ),
            keras.layers.MaxPool2D(2, padding="same", name="pool2"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(
                hidden, activation="relu", name="fc1", **regularized
            ),
            keras.layers.Dense(num_classes, name="fc2", **regularized),
        ],
        name="lenet",
    )
    if posterior is None:
        return network
    return bayesify(network, posterior, prior, scope)

"""The residual networks of the paper's CIFAR experiments."""

import keras

from bbh_tf import checks
from bbh_tf.layers.mc_dropout import MCDropout
from bbh_tf.models import of_posteriors
from bbh_tf.models.bayesify import bayesify
from bbh_tf.models.networks import kernel_settings

_DROPOUT_PLACES = ("convolutions", "units")


def resnet32(posterior=None, prior=None, scope="layer", **kwargs):
    """Makes a ResNet-32: 462,693 kernels and biases at the defaults.

    Args:
        posterior: recipe of the posterior of all weights; None for a plain
            network.
        prior: prior of each weight; None for N(0, 1).
        scope: `"layer"` or `"network"`, as `bbh_tf.models.bayesify` takes it.
        **kwargs: other arguments of `bbh_tf.models.resnet`.

    Returns:
        A functional `keras.Model` from images, `(batch, 24, 24, 3)`, to
        logits, `(batch, 5)`.

    Raises:
        ValueError: as `bbh_tf.models.resnet` does.

    References:
        Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
        arXiv:1711.01297, Table 4.
    """
    return resnet(5, posterior, prior, scope, **kwargs)


def resnet(
    units_per_stage,
    posterior=None,
    prior=None,
    scope="layer",
    input_shape=(24, 24, 3),
    num_classes=5,
    filters=(16, 32, 64),
    strides=(1, 2, 2),
    final_normalization=True,
    kernel_regularizer=None,
    dropout_rate=0.0,
    dropout_places="convolutions",
    convolution=keras.layers.Conv2D,
    dense=keras.layers.Dense,
    normalization=keras.layers.BatchNormalization,
    start="random",
    kernel_initializer=None,
):
    """Makes a residual network of pre-activated units.

    A 3 x 3 convolution; stages of units

        x + conv(relu(norm(conv(relu(norm(x))))));

    normalisation, ReLU, the mean over all places; logits. With three stages
    that is a ResNet of `6 * units_per_stage + 2` layers with weights. Where a
    unit shrinks the image, its shortcut takes means; where it has more
    channels than its input, the shortcut has zeros on both sides.

    Every method of the paper is a choice of arguments: `posterior` for Bayes
    by Hypernet and Bayes by Backprop, `dropout_rate=0.5` for MC dropout,
    `convolution=bbh_tf.layers.MNFConv2D, dense=bbh_tf.layers.MNFDense` for
    multiplicative normalizing flows. Normalisation stays a point estimate.

    Strides and the last normalisation are by default those of He et al., the
    shortcut that of the authors' code (He et al. take every second place).
    That code has `strides=(2, 2, 2)`, and `final_normalization=False` for the
    methods that have a distribution over weights.

    Args:
        units_per_stage: number of units in each stage; 5 for a ResNet-32.
        posterior: recipe of the posterior of all weights; None for a plain
            network.
        prior: prior of each weight; None for N(0, 1).
        scope: `"layer"` or `"network"`, as `bbh_tf.models.bayesify` takes it.
        input_shape: shape of an image, `(height, width, channels)`.
        num_classes: number of classes.
        filters: filters of the convolutions of each stage; the first
            convolution has as many as the first stage.
        strides: stride of the first unit of each stage.
        final_normalization: whether there is a normalisation before the last
            ReLU.
        kernel_regularizer: regulariser of all kernels, as Keras takes it.
        dropout_rate: rate of the `MCDropout` layers; 0 for none.
        dropout_places: where they are: `"convolutions"`, after each
            convolution (31 places in a ResNet-32), or `"units"`, before the
            second ReLU of each unit (15 places).
        convolution: callable that makes the convolutions, as
            `keras.layers.Conv2D` does.
        dense: callable that makes the last layer, as `keras.layers.Dense`.
        normalization: callable that makes a normalisation layer, given its
            `name`.
        start: `"random"` or `"pretrained"`, as `bayesify` takes it: around the
            weights that a plain network begins with.
        kernel_initializer: initialiser of all kernels, as Keras takes it;
            None for the layers' own, Glorot's. With a posterior it needs
            `start="pretrained"`.

    Returns:
        A functional `keras.Model` from images to logits,
        `(batch, num_classes)`.

    Raises:
        ValueError: if an argument is invalid, or a posterior's where there
            is none, or ignored by a posterior; if a stage has fewer filters
            than the one before it; or if Keras is set to channels first.

    References:
        He et al., Deep Residual Learning for Image Recognition,
        arXiv:1512.03385, Sec. 4.2, shortcut A; He et al., Identity Mappings
        in Deep Residual Networks, arXiv:1603.05027. Pawlowski et al.,
        Implicit Weight Uncertainty in Neural Networks, arXiv:1711.01297,
        Table 4, and the authors' code.
    """
    checks.check_channels_last(resnet)
    checks.check_count("units_per_stage", units_per_stage)
    checks.flag("final_normalization", final_normalization)
    _check_stages(filters, strides)
    if dropout_places not in _DROPOUT_PLACES:
        raise ValueError(
            f"Expected dropout_places to be one of {_DROPOUT_PLACES}; got "
            f"{dropout_places!r}."
        )
    of_posteriors.check_kernels(resnet, posterior, start, kernel_initializer)
    settings = kernel_settings.each_layers(
        kernel_initializer, kernel_regularizer
    )

    def dropout(x, place, name):
        if not dropout_rate or place != dropout_places:
            return x
        return MCDropout(dropout_rate, name=name)(x)

    def convolve(x, count, stride, name, dropout_name):
        x = convolution(
            count, 3, strides=stride, padding="same", name=name, **settings()
        )(x)
        return dropout(x, "convolutions", dropout_name)

    def unit(inputs, count, stride, name):
        x = normalization(name=f"{name}_norm1")(inputs)
        x = keras.layers.ReLU(name=f"{name}_relu1")(x)
        x = convolve(x, count, stride, f"{name}_conv1", f"{name}_dropout1")
        x = normalization(name=f"{name}_norm2")(x)
        x = dropout(x, "units", f"{name}_dropout")
        x = keras.layers.ReLU(name=f"{name}_relu2")(x)
        x = convolve(x, count, 1, f"{name}_conv2", f"{name}_dropout2")
        shortcut = _shortcut(inputs, count, stride, f"{name}_shortcut")
        return keras.layers.Add(name=f"{name}_add")([shortcut, x])

    images = keras.Input(input_shape, name="images")
    x = convolve(images, filters[0], 1, "stem_conv", "stem_dropout")
    for stage, (count, stride) in enumerate(zip(filters, strides), 1):
        for index in range(1, units_per_stage + 1):
            x = unit(x, count, stride, f"stage{stage}_unit{index}")
            stride = 1
    if final_normalization:
        x = normalization(name="final_norm")(x)
    x = keras.layers.ReLU(name="final_relu")(x)
    x = keras.layers.GlobalAveragePooling2D(name="final_pool")(x)
    logits = dense(num_classes, name="logits", **settings())(x)
    depth = 2 * units_per_stage * len(filters) + 2
    network = keras.Model(images, logits, name=f"resnet{depth}")
    if posterior is None:
        of_posteriors.check_unused(
            resnet, prior=prior, scope=scope, start=start
        )
        return network
    return bayesify(network, posterior, prior, scope, start=start)


def _shortcut(x, count, stride, name):
    if stride > 1:
        # As without padding where the stride divides the size; where it does
        # not, of the same size as a convolution's output.
        x = keras.layers.AveragePooling2D(stride, padding="same", name=name)(x)
    missing = count - x.shape[-1]
    if missing:
        left = missing // 2
        # Keras pads places only: so width and channels are handed to it as if
        # they were height and width.
        x = keras.layers.ZeroPadding2D(
            ((0, 0), (left, missing - left)),
            data_format="channels_first",
            name=f"{name}_channels",
        )(x)
    return x


def _check_stages(filters, strides):
    if len(filters) != len(strides) or not filters:
        raise ValueError(
            "Expected filters and strides to have one entry for each stage; "
            f"got {filters} and {strides}."
        )
    for argument, values in (("filters", filters), ("strides", strides)):
        for value in values:
            checks.check_count(argument, value)
    if list(filters) != sorted(filters):
        raise ValueError(
            "Expected each stage to have at least as many filters as the one "
            f"before it; got {filters}."
        )

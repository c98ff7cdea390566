"""What a network is given of an image."""

import numpy as np

from experiments import lazy

bbh = lazy.import_module("bbh_tf")
tf = lazy.import_module("tensorflow")


def shape(config, data):
    """Returns the shape of a network's input, for one example."""
    if config.dataset == "cifar5":
        return bbh.datasets.CROP_SHAPE
    return data.image_shape


def for_training(config, images, step):
    """Makes the inputs of a training step, in TensorFlow.

    Args:
        config: a `RunConfig`.
        images: `float32` tensor `(batch, height, width, channels)`.
        step: number of the step, counted through all epochs.

    Returns:
        `float32` tensor; on CIFAR5 augmented, as the seed and the step say.
    """
    if config.dataset == "cifar5":
        return bbh.datasets.augment(images, (config.seed, step))
    return images


def for_prediction(config, images):
    """Makes the inputs of a prediction: an array of an array, or a tensor."""
    if config.dataset != "cifar5":
        return images
    prepared = bbh.datasets.prepare(images)
    return prepared if tf.is_tensor(images) else np.asarray(prepared)


def limits(config, images):
    """Returns what the inputs of images can lie between.

    Args:
        config: a `RunConfig`.
        images: `float32` array `(examples, height, width, channels)`.

    Returns:
        `(lowest, highest)`, arrays that go with the inputs: what black and
        white are after each image's standardisation, where there is one.
    """
    if config.dataset == "cifar5":
        return bbh.datasets.prepared_range(images)
    return np.float32(0), np.float32(1)

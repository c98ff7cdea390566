"""The networks of the paper, for any method."""

import functools

from experiments import inputs
from experiments import lazy
from experiments.errors import ExperimentError

bbh = lazy.import_module("bbh_tf")
keras = lazy.import_module("keras")
released_code = lazy.import_module("experiments.released_code")


def build(config, data, posterior=None, **kwargs):
    """Makes the network of a run.

    Args:
        config: a `RunConfig`.
        data: a `bbh_tf.datasets.ImageData`.
        posterior: recipe of the posterior of its weights, or None.
        **kwargs: other arguments that `bbh_tf.models.lenet` and
            `bbh_tf.models.resnet` have in common.

    Returns:
        A functional `keras.Model` from inputs to logits.

    Raises:
        ExperimentError: if the images are too small for the filters.
    """
    kwargs.update(
        input_shape=inputs.shape(config, data), num_classes=data.num_classes
    )
    if config.network == "lenet":
        try:
            return bbh.models.lenet(
                posterior,
                units=config.units,
                kernel_size=config.kernel_size,
                **kwargs,
            )
        except ValueError as error:
            raise ExperimentError(f"{config.row}: {error}") from error
    return bbh.models.resnet(
        config.units_per_stage,
        posterior,
        filters=config.units,
        strides=config.strides,
        final_normalization=config.final_normalization,
        normalization=_normalization(config.normalization),
        **kwargs,
    )


def _normalization(name):
    if name == "image":
        # A group for each channel: statistics of an image by itself.
        return functools.partial(keras.layers.GroupNormalization, groups=-1)
    if name == "batch":
        return released_code.BatchStatistics
    return keras.layers.BatchNormalization

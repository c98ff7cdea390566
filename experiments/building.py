"""Models of the methods: made, finished, asked, and put into words."""

import contextlib

from experiments import inputs
from experiments import lazy
from experiments import run_config
from experiments.methods import METHODS

bbh = lazy.import_module("bbh_tf")
keras = lazy.import_module("keras")

# Training images that statistics of normalisation are found on.
NUM_CALIBRATION = 1000


def build(config, data):
    """Makes a compiled, untrained model.

    Args:
        config: a `RunConfig`.
        data: a `bbh_tf.datasets.ImageData`.

    Returns:
        A compiled `keras.Model` from images to logits.
    """
    keras.utils.set_random_seed(config.seed)
    with _precision(config):
        model = METHODS[config.method].build(config, data)
    if config.normalization == "calibrated" and not _members(model):
        model.calibration_data = _calibration_inputs(config, data)
    model.compile(_optimizer(config), jit_compile=False, metrics=["accuracy"])
    return model


def _members(model):
    """Returns the networks of a model whose draws are fixed networks."""
    return getattr(model, "members", [])


def finish(config, model, data):
    """Makes a model that is trained ready to predict.

    Where a run has calibrated normalisation, members of an ensemble get their
    statistics here; where weights are drawn, each draw finds its own.

    Args:
        config: a `RunConfig`.
        model: a model of `build`.
        data: a `bbh_tf.datasets.ImageData`.
    """
    if config.normalization != "calibrated":
        return
    for network in _members(model):
        bbh.models.update_batch_normalization(
            network, _calibration_inputs(config, data)
        )


def _calibration_inputs(config, data):
    images = data.train_images[:NUM_CALIBRATION]
    return inputs.for_prediction(config, images)


@contextlib.contextmanager
def _precision(config):
    """Makes layers in the precision that a run asks for."""
    before = keras.config.dtype_policy()
    if config.mixed_precision:
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def predict_samples(model, images):
    """Returns logits of shape `(num_samples, examples, classes)`.

    Of an ensemble, one sample a member.
    """
    return model.predict_samples(images, batch_size=1000)


def settings(config):
    """Says in words how a method was trained.

    Args:
        config: a `RunConfig`.

    Returns:
        A text of one line.
    """
    parts = [f"{config.optimizer} {config.learning_rate:g}"]
    if config.learning_rate_decay is not None:
        parts[-1] += f", {config.learning_rate_decay} decay"
    if config.global_clipnorm is not None:
        parts.append(f"gradients clipped at {config.global_clipnorm:g}")
    parts += METHODS[config.method].describe(config)
    if config.num_likelihood_samples > 1:
        parts.append(f"likelihood under {config.num_likelihood_samples} draws")
        if config.split_batches:
            parts[-1] += ", each on a part of the batch"
    if config.normalization is not None:
        parts.append(f"{config.normalization} normalisation")
    if config.mixed_precision:
        parts.append("mixed bfloat16")
    return ", ".join(parts)


def _optimizer(config):
    settings = {
        "epsilon": config.epsilon,
        "global_clipnorm": config.global_clipnorm,
    }
    make = bbh.optimizers.FusedAdam
    if config.optimizer == "tf1_rmsprop":
        make = bbh.optimizers.TF1RMSprop
    given = {k: value for k, value in settings.items() if value is not None}
    rate = config.learning_rate
    if config.learning_rate_decay == "cosine":
        rate = bbh.optimizers.EpochCosineDecay(
            rate, run_config.num_epochs(config)
        )
    return make(rate, **given)

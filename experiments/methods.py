"""The methods of the paper, as models to train."""

import keras

import bbh_tf as bbh
from experiments import config as configs


def build(config, data):
    """Makes a compiled, untrained model.

    Args:
        config: a `RunConfig`.
        data: a `bbh_tf.datasets.ImageData`.

    Returns:
        A compiled `keras.Model` from images to logits.
    """
    keras.utils.set_random_seed(config.seed)
    model = _MODELS[config.method](config, data)
    model.compile(
        _optimizer(config),
        loss=None
        if isinstance(model, bbh.models.BayesianModel)
        else keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"]
        if isinstance(model, bbh.models.BayesianModel)
        else [
            "accuracy",
            keras.metrics.SparseCategoricalCrossentropy(
                name="nll", from_logits=True
            ),
        ],
        jit_compile=False,
    )
    return model


def predict_samples(model, images, num_samples):
    """Returns logits of shape `(num_samples, examples, classes)`."""
    if isinstance(model, bbh.models.BayesianModel):
        return model.predict_samples(images, num_samples, batch_size=1000)
    return model.predict(images, batch_size=1000, verbose=0)[None]


def settings(config):
    """Says in words how a method was trained.

    Args:
        config: a `RunConfig`.

    Returns:
        A text of one line.
    """
    parts = [f"{config.optimizer} {config.learning_rate:g}"]
    if config.method == "map":
        parts.append("L2 of the N(0, 1) prior on kernels")
        return ", ".join(parts)
    count = configs.num_train_examples(config)
    parts.append(f"KL weight {config.kl_scale:g} / {count:,}")
    if config.annealing_start is not None:
        end = config.annealing_start + config.annealing_epochs
        parts.append(
            f"annealed over epochs {config.annealing_start:.3g} to {end:.3g}"
        )
    return ", ".join(parts)


def _network(config, data, posterior=None, kernel_regularizer=None):
    return bbh.models.lenet(
        posterior,
        input_shape=data.image_shape,
        num_classes=data.num_classes,
        units=config.units,
        kernel_size=config.kernel_size,
        kernel_regularizer=kernel_regularizer,
    )


def _map(config, data):
    # -log N(w; 0, 1) is |w|^2 / 2; the loss is a mean over the examples.
    l2 = keras.regularizers.L2(0.5 / len(data.train_images))
    return _network(config, data, kernel_regularizer=l2)


def _bbb(config, data):
    return bbh.models.BayesianModel(
        _network(config, data, bbh.posteriors.MeanField()),
        num_train_examples=len(data.train_images),
        divergence=bbh.divergences.AnalyticKL(),
        kl_scale=config.kl_scale,
        num_prediction_samples=config.num_prediction_samples,
        seed=config.seed,
    )


def _bbh(config, data):
    posterior = bbh.posteriors.Implicit(noise_dim=config.noise_dim)
    return bbh.models.BayesianModel(
        _network(config, data, posterior),
        num_train_examples=len(data.train_images),
        divergence=bbh.divergences.KernelKL(
            released_code=config.released_kernel
        ),
        num_samples=config.num_samples,
        annealing=bbh.annealing.Linear(
            config.annealing_start, config.annealing_epochs
        ),
        kl_scale=config.kl_scale,
        num_prediction_samples=config.num_prediction_samples,
        seed=config.seed,
    )


_MODELS = {"map": _map, "bbb": _bbb, "bbh": _bbh}


def _optimizer(config):
    if config.optimizer == "tf1_rmsprop":
        return bbh.optimizers.TF1RMSprop(
            config.learning_rate, epsilon=config.epsilon
        )
    if config.epsilon is None:
        return bbh.optimizers.FusedAdam(config.learning_rate)
    return bbh.optimizers.FusedAdam(
        config.learning_rate, epsilon=config.epsilon
    )

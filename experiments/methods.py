"""The methods of the paper, as models to train."""

import contextlib
import functools
import math

import keras

import bbh_tf as bbh
from experiments import inputs
from experiments import networks
from experiments import released_code
from experiments import run_config

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
        model = _MODELS[config.method](config, data)
    if config.normalization == "calibrated" and is_drawn(model):
        model.calibration_data = _calibration_inputs(config, data)
    settings = {"metrics": ["accuracy"]}
    if config.method == "map":
        settings["loss"] = keras.losses.SparseCategoricalCrossentropy(
            from_logits=True
        )
        settings["metrics"].append(
            keras.metrics.SparseCategoricalCrossentropy(
                name="nll", from_logits=True
            )
        )
    model.compile(_optimizer(config), jit_compile=False, **settings)
    return model


def is_drawn(model):
    """Whether a model of `build` draws its weights, or noise, to predict."""
    return isinstance(model, bbh.models.BayesianModel)


def fixed_networks(model):
    """Returns the networks of a model that is not drawn: members, or itself."""
    return getattr(model, "members", [model])


def finish(config, model, data):
    """Makes a model that is trained ready to predict.

    Where a run has calibrated normalisation, a network that is not drawn anew
    gets its statistics here; for one that is, each draw finds its own.

    Args:
        config: a `RunConfig`.
        model: a model of `build`.
        data: a `bbh_tf.datasets.ImageData`.
    """
    if config.normalization != "calibrated" or is_drawn(model):
        return
    found = _calibration_inputs(config, data)
    for network in fixed_networks(model):
        bbh.models.update_batch_normalization(network, found)


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

    Of an ensemble, one sample a member; of a point estimate, one.
    """
    if hasattr(model, "predict_samples"):
        return model.predict_samples(images, batch_size=1000)
    return model.predict(images, batch_size=1000, verbose=0)[None]


def settings(config):
    """Says in words how a method was trained.

    Args:
        config: a `RunConfig`.

    Returns:
        A text of one line.
    """
    parts = [f"{config.optimizer} {config.learning_rate:g}"]
    if config.global_clipnorm is not None:
        parts.append(f"gradients clipped at {config.global_clipnorm:g}")
    if config.method == "ensemble":
        parts.append(f"{config.num_members} members")
        if config.adversarial_epsilon is not None:
            parts.append(
                f"adversarial training at {config.adversarial_epsilon:g}"
            )
        return ", ".join(parts + _network_settings(config))
    if config.method == "dropout":
        parts.append(f"rate {config.dropout_rate:g}")
    if config.method in ("map", "dropout"):
        parts.append("L2 of the N(0, 1) prior on kernels")
        return ", ".join(parts + _network_settings(config))
    if config.method == "bbh":
        kind = "shared" if config.shared_noise else "independent"
        parts.append(f"{config.architecture}, {kind} noise {config.noise_dim}")
        if config.hypernetwork_units is not None:
            widths = ", ".join(map(str, config.hypernetwork_units))
            parts.append(f"hypernetworks {widths} wide")
    if config.divergence is not None:
        text = f"{config.divergence.replace('_', ' ')} KL"
        if config.num_neighbours > 1:
            text += f", neighbour {config.num_neighbours}"
        if config.num_prior_samples is not None:
            text += f", {config.num_prior_samples} prior samples"
        parts.append(text)
    if config.divergence_weights is not None:
        parts.append(f"of {config.divergence_weights:,} weights a step")
    count = run_config.num_train_examples(config)
    parts.append(f"KL weight {config.kl_scale:g} / {count:,}")
    if config.annealing_start is not None:
        end = config.annealing_start + config.annealing_epochs
        parts.append(
            f"annealed over epochs {config.annealing_start:.3g} to {end:.3g}"
        )
    return ", ".join(parts + _network_settings(config))


def _network_settings(config):
    parts = []
    if config.normalization is not None:
        parts.append(f"{config.normalization} normalisation")
    if config.mixed_precision:
        parts.append("mixed bfloat16")
    return parts


def _model(config, data, network, **kwargs):
    annealing = None
    if config.annealing_start is not None:
        annealing = bbh.annealing.Linear(
            config.annealing_start, config.annealing_epochs
        )
    return bbh.models.BayesianModel(
        network,
        num_train_examples=len(data.train_images),
        num_samples=config.num_samples,
        num_prior_samples=config.num_prior_samples,
        annealing=annealing,
        kl_scale=config.kl_scale,
        num_prediction_samples=config.num_prediction_samples,
        seed=config.seed,
        **kwargs,
    )


def _l2(data):
    # -log N(w; 0, 1) is |w|^2 / 2; the loss is a mean over the examples.
    return keras.regularizers.L2(0.5 / len(data.train_images))


def _map(config, data):
    return networks.build(config, data, kernel_regularizer=_l2(data))


def _ensemble(config, data):
    return bbh.models.DeepEnsemble(
        networks.build(config, data),
        num_members=config.num_members,
        adversarial_epsilon=config.adversarial_epsilon,
        split_batches=True,
        seed=config.seed,
    )


def _dropout(config, data):
    network = networks.build(
        config,
        data,
        kernel_regularizer=_l2(data),
        dropout_rate=config.dropout_rate,
    )
    return _model(config, data, network)


def _bbb(config, data):
    posterior = bbh.posteriors.MeanField(config.initial_log_variance)
    network = networks.build(config, data, posterior)
    return _model(config, data, network, divergence=_divergence(config))


def _mnf(config, data):
    convolution, dense = bbh.layers.MNFConv2D, bbh.layers.MNFDense
    settings = {"max_std": config.max_std}
    if config.released_mnf:
        convolution = released_code.MNFConv2D
        settings.update(prior_variance=math.e, initial_z_mean=0.0)
    convolution, dense = (
        functools.partial(layer, **settings) for layer in (convolution, dense)
    )
    network = networks.build(config, data, convolution=convolution, dense=dense)
    return _model(config, data, network)


def _bbh(config, data):
    if config.architecture == "layerwise":
        make = bbh.hypernetworks.MLP
    else:
        slices = "chunks" if config.released_slices else "output"
        if config.architecture == "single":
            slices = _SINGLE_G_SLICES
        make = functools.partial(bbh.hypernetworks.Sliced, slices)
    units = config.hypernetwork_units
    posterior = bbh.posteriors.Implicit(
        make() if units is None else make(units=units),
        noise_dim=config.noise_dim,
        shared_noise=config.shared_noise,
    )
    scope = "network" if config.architecture == "single" else "layer"
    network = networks.build(config, data, posterior, scope=scope)
    return _model(config, data, network, divergence=_divergence(config))


def _divergence(config):
    if config.divergence == "analytic":
        return bbh.divergences.AnalyticKL()
    if config.divergence == "adversarial":
        return bbh.divergences.AdversarialKL(
            num_steps=config.discriminator_steps,
            num_weights=config.divergence_weights,
        )
    if config.divergence == "entropy":
        return bbh.divergences.NearestNeighbourEntropy(config.num_neighbours)
    return bbh.divergences.KernelKL(
        per_weight=config.divergence == "kernel",
        released_code=config.released_kernel,
        num_neighbours=config.num_neighbours,
    )


# 130 slices of 3,316 weights are the paper's LeNet exactly.
_SINGLE_G_SLICES = 130
_MODELS = {
    "map": _map,
    "ensemble": _ensemble,
    "bbb": _bbb,
    "dropout": _dropout,
    "mnf": _mnf,
    "bbh": _bbh,
}


def _optimizer(config):
    settings = {
        "epsilon": config.epsilon,
        "global_clipnorm": config.global_clipnorm,
    }
    make = bbh.optimizers.FusedAdam
    if config.optimizer == "tf1_rmsprop":
        make = bbh.optimizers.TF1RMSprop
    given = {k: value for k, value in settings.items() if value is not None}
    return make(config.learning_rate, **given)

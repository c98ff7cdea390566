"""What methods are made of, and how it is said."""

from experiments import changes
from experiments import data_sets
from experiments import lazy

bbh = lazy.import_module("bbh_tf")
keras = lazy.import_module("keras")


def model(config, data, network, **kwargs):
    """Makes the `BayesianModel` of a run.

    Args:
        config: a `RunConfig`.
        data: a `bbh_tf.datasets.ImageData`.
        network: a network with random layers.
        **kwargs: other arguments of `BayesianModel`.

    Returns:
        A model, not yet compiled.
    """
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
        num_likelihood_samples=config.num_likelihood_samples,
        split_batches=config.split_batches,
        annealing=annealing,
        kl_scale=config.kl_scale,
        num_prediction_samples=config.num_prediction_samples,
        seed=config.seed,
        **kwargs,
    )


def prior(config):
    """Returns the prior of each weight, N(0, `prior_scale`^2) at first."""
    if config.learned_prior_scale:
        return bbh.priors.NormalLearnedScale(rate=config.prior_scale**2)
    return bbh.priors.Normal(0.0, config.prior_scale)


def l2(config, data):
    """Returns the prior as a regulariser, tempered as a KL would be.

    -log N(w; 0, s^2) is |w|^2 / (2 s^2), and the loss a mean over N examples.
    """
    weight = config.kl_scale / (2 * config.prior_scale**2)
    return keras.regularizers.L2(weight / len(data.train_images))


def divergence(config):
    """Returns the estimate of the KL that a run has."""
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


def describe_kernels(config):
    """Says where kernels without a posterior start, if not as Keras' do.

    Returns:
        A list of one text, or of none.
    """
    if config.kernel_initializer == "glorot_uniform":
        return []
    return [f"kernels start {config.kernel_initializer}"]


def describe_l2(config):
    """Says what stands for the prior where there is no KL.

    Returns:
        A list of one text.
    """
    text = f"L2 of the N(0, {config.prior_scale**2:g}) prior on kernels"
    if config.kl_scale != 1:
        text += f", times {config.kl_scale:g}"
    return [text]


def describe_kl(config):
    """Says what the KL is, its weight and its annealing.

    Returns:
        A list of texts.
    """
    parts = []
    if config.divergence is not None:
        text = f"{config.divergence.replace('_', ' ')} KL"
        if config.num_neighbours > 1:
            text += f", neighbour {config.num_neighbours}"
        if config.num_prior_samples is not None:
            text += f", {config.num_prior_samples} prior samples"
        if config.released_kernel and config.divergence in changes.KERNEL:
            text += ", with the authors' 1e-8 terms"
        parts.append(text)
    if config.divergence_weights is not None:
        parts.append(f"of {config.divergence_weights:,} weights a step")
    if config.learned_prior_scale:
        parts.append("scale of the prior learnt")
    if config.prior_scale != 1:
        parts.append(f"N(0, {config.prior_scale**2:g}) prior")
    count = data_sets.num_train_examples(config)
    parts.append(f"KL weight {config.kl_scale:g} / {count:,}")
    if config.annealing_start is not None:
        end = config.annealing_start + config.annealing_epochs
        parts.append(
            f"annealed over epochs {config.annealing_start:.3g} to {end:.3g}"
        )
    return parts

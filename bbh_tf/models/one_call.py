"""What one call makes of a Keras model: choices, and what overrides them."""

import inspect
import warnings

import keras

from bbh_tf import annealing
from bbh_tf import checks
from bbh_tf import divergences
from bbh_tf import optimizers
from bbh_tf import posteriors
from bbh_tf.layers import total_kl
from bbh_tf.models import likelihoods
from bbh_tf.models import refusals
from bbh_tf.models import report
from bbh_tf.models.bayesian_model import BayesianModel
from bbh_tf.models.bayesify import bayesify
from bbh_tf.optimizers import epoch_cosine_decay
from bbh_tf.priors import Normal

# Weights for each example above which the user is warned. MNIST has 8 under the
# paper's LeNet, which trains well at the full KL; CIFAR5 has 10 under a LeNet,
# which forgets most of what it learnt when the KL sets in.
_MANY_WEIGHTS = 10


def make(
    network,
    num_train_examples,
    likelihood,
    learning_rate,
    print_fn,
    defaults,
    settings,
    global_clipnorm=None,
):
    """Makes a compiled Bayesian model; see `bayes_by_hypernet`.

    Args:
        network: a built `keras.Model`.
        num_train_examples: N.
        likelihood: as `BayesianModel` takes it.
        learning_rate: of Adam; a number or a Keras schedule.
        print_fn: function that prints a text, or None.
        defaults: dictionary with the `posterior`; the `divergence` as a
            function of the list of `bbh_tf.divergences.Pair`; and other
            arguments of `bayesify` and `BayesianModel`.
        settings: dictionary of the caller's own arguments of `bayesify` and
            `BayesianModel`.
        global_clipnorm: of Adam; None for no clipping.

    Returns:
        A compiled `BayesianModel`.
    """
    checks.check_count("num_train_examples", num_train_examples)
    learning_rate = checks.check_learning_rate(learning_rate)
    if "posterior" in settings:
        # Not all can begin around given weights.
        defaults = {**defaults, "start": "random"}
        if not isinstance(settings["posterior"], posteriors.Implicit):
            defaults["prior"] = None
    given = settings.get("divergence")
    if given is not None and isinstance(
        divergences.get(given), divergences.SampleDivergence
    ):
        # Some are least where the posterior is wider than the prior: a prior
        # that follows would widen without end.
        defaults = {**defaults, "prior": None}
    of_network, of_model = _split({**defaults, **settings})
    bayesian = bayesify(network, **of_network)
    if settings.get("divergence") is None:
        pairs = total_kl.pairs_of(refusals.random_layers_of(bayesian))
        of_model["divergence"] = defaults["divergence"](pairs)
    model = BayesianModel(bayesian, num_train_examples, likelihood, **of_model)
    is_classes = model.likelihood is likelihoods.categorical_logits
    model.compile(
        optimizers.FusedAdam(learning_rate, global_clipnorm=global_clipnorm),
        metrics=["accuracy"] if is_classes else None,
    )
    begun = of_network.get("start", "random")
    if print_fn is not None:
        print_fn(_choices(model, begun, learning_rate))
    _check_size(model, begun)
    return model


def _split(settings):
    """Returns the arguments of `bayesify`, and those of `BayesianModel`."""
    of_bayesify = set(inspect.signature(bayesify).parameters) - {"network"}
    of_model = set(inspect.signature(BayesianModel).parameters)
    of_model -= {"network", "num_train_examples", "likelihood"}
    for name in settings:
        if name not in of_bayesify | of_model:
            raise TypeError(
                f"{name!r} is no argument of bayesify or BayesianModel: "
                f"expected {', '.join(sorted(of_bayesify | of_model))}."
            )
    return tuple(
        {name: x for name, x in settings.items() if name in names}
        for names in (of_bayesify, of_model)
    )


def _choices(model, begun, learning_rate):
    posteriors = {
        f"{type(layer.posterior).__name__}({_arguments(layer.posterior)})"
        for layer in model.bayesian_layers
    }
    schedule = model.annealing
    where = (
        "" if begun == "random" else ", initialised around those of the network"
    )
    lines = [
        f"{', '.join(sorted(posteriors))} over {_num_weights(model):,} weights"
        f"{where}",
        f"{_priors(model)}"
        f"{type(model.divergence).__name__}({_arguments(model.divergence)}), "
        f"{_samples(model)}times {model.kl_scale:g} / "
        f"{model.num_train_examples:,}",
    ]
    if isinstance(schedule, annealing.Linear):
        end = schedule.start_epoch + schedule.num_epochs
        lines[-1] += (
            f", annealed over epochs {schedule.start_epoch:g} to {end:g}"
        )
    if model.num_likelihood_samples > 1:
        lines.append(f"likelihood under {model.num_likelihood_samples} draws")
        if model.split_batches:
            lines[-1] += ", each on a part of the batch"
    lines.append(_rate_of(learning_rate))
    clipnorm = model.optimizer.global_clipnorm
    if clipnorm is not None:
        lines[-1] += f", gradients clipped at {clipnorm:g}"
    return f"{model.name}: " + "; ".join(lines)


def _priors(model):
    """Says which priors there are, where not all are the paper's."""
    if _has_papers_prior(model):
        return ""
    told = {
        f"N({prior.loc:g}, {prior.scale**2:g})"
        if isinstance(prior, Normal)
        else type(prior).__name__
        for prior in (layer.prior for layer in model.bayesian_layers)
    }
    return f"{', '.join(sorted(told))} as prior; "


def _has_papers_prior(model):
    papers = Normal().sharing_key()
    return all(
        layer.prior.sharing_key() == papers for layer in model.bayesian_layers
    )


def _samples(model):
    count, _ = report.num_samples(model)
    if not count:
        return ""
    return f"{count} sample{'s' if count > 1 else ''} a step, "


def _rate_of(learning_rate):
    if isinstance(learning_rate, epoch_cosine_decay.EpochCosineDecay):
        return (
            f"FusedAdam({learning_rate.initial_learning_rate:g}), falling over "
            f"{learning_rate.decay_epochs:g} epochs"
        )
    schedules = keras.optimizers.schedules
    if isinstance(learning_rate, schedules.LearningRateSchedule):
        return f"FusedAdam, at the rates of your {type(learning_rate).__name__}"
    return f"FusedAdam({learning_rate:g})"


def _arguments(part):
    shown = {}
    for name, value in part.get_config().items():
        if isinstance(value, dict) and "config" in value:
            told = f"{value['config'].get('units')}"
            if value["config"].get("kernel_initializer") == "hyperfan":
                told += ", hyperfan"
            value = f"{value['class_name']}({told})"
        shown[name] = value
    return ", ".join(f"{name}={value}" for name, value in shown.items())


def _num_weights(model):
    """Counts what has a KL: masks of dropout have none."""
    return sum(
        layer.draw_size() for layer in model.random_layers if layer.has_kl
    )


def _check_size(model, begun):
    per_example = _num_weights(model) / model.num_train_examples
    if per_example * model.kl_scale > _MANY_WEIGHTS:
        instead = ", start='pretrained'" if begun == "random" else ""
        if _has_papers_prior(model) and all(
            isinstance(layer.posterior, posteriors.Implicit)
            for layer in model.bayesian_layers
        ):
            # It is none for a MeanField, which it lets fall back to the prior.
            instead += ", prior=bbh_tf.priors.NormalLearnedScale()"
        if model.num_likelihood_samples == 1:
            instead += ", num_likelihood_samples=5 with split_batches=True"
        warnings.warn(
            f"{_num_weights(model):,} random weights for "
            f"{model.num_train_examples:,} examples: the KL may drown the "
            f"data. Fewer random layers (layers=...), more epochs{instead} or "
            "kl_scale < 1 help; callbacks.CollapseDiagnostic tells.",
            stacklevel=4,
        )

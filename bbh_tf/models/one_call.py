"""What one call makes of a Keras model: choices, and what overrides them."""

import inspect
import warnings

from bbh_tf import annealing
from bbh_tf import checks
from bbh_tf import optimizers
from bbh_tf.layers import total_kl
from bbh_tf.models import likelihoods
from bbh_tf.models import refusals
from bbh_tf.models.bayesian_model import BayesianModel
from bbh_tf.models.bayesify import bayesify

# Weights for each example from which on the user is warned. MNIST has 8 under
# the paper's LeNet, which trains well at the full KL.
_MANY_WEIGHTS = 30
# Part of the training over which the KL is annealed, in the authors' code.
_ANNEALING_START, _ANNEALING_LENGTH = 0.05, 0.15


def make(
    network,
    num_train_examples,
    likelihood,
    num_epochs,
    learning_rate,
    print_fn,
    defaults,
    settings,
):
    """Makes a compiled Bayesian model; see `bayes_by_hypernet`.

    Args:
        network: a built `keras.Model`.
        num_train_examples: N.
        likelihood: as `BayesianModel` takes it.
        num_epochs: epochs that are meant.
        learning_rate: of Adam.
        print_fn: function that prints a text, or None.
        defaults: dictionary with the `posterior`; the `divergence` as a
            function of the list of `bbh_tf.divergences.Pair`; and other
            arguments of `BayesianModel`.
        settings: dictionary of the caller's own arguments of `bayesify` and
            `BayesianModel`.

    Returns:
        A compiled `BayesianModel`.
    """
    checks.check_count("num_epochs", num_epochs)
    checks.check_count("num_train_examples", num_train_examples)
    of_network, of_model = _split(settings)
    of_model = {**defaults, **of_model}
    posterior = of_network.pop("posterior", of_model.pop("posterior"))
    bayesian = bayesify(network, posterior, **of_network)
    if settings.get("divergence") is None:
        pairs = total_kl.pairs_of(refusals.random_layers_of(bayesian))
        of_model["divergence"] = defaults["divergence"](pairs)
    of_model.setdefault(
        "annealing",
        annealing.Linear(
            _ANNEALING_START * num_epochs, _ANNEALING_LENGTH * num_epochs
        ),
    )
    model = BayesianModel(bayesian, num_train_examples, likelihood, **of_model)
    is_classes = model.likelihood is likelihoods.categorical_logits
    model.compile(
        optimizers.FusedAdam(learning_rate),
        metrics=["accuracy"] if is_classes else None,
    )
    if print_fn is not None:
        print_fn(_choices(model, learning_rate))
    _check_size(model)
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


def _choices(model, learning_rate):
    posteriors = {
        f"{type(layer.posterior).__name__}({_arguments(layer.posterior)})"
        for layer in model.bayesian_layers
    }
    schedule = model.annealing
    lines = [
        f"{', '.join(sorted(posteriors))} over {_num_weights(model):,} weights",
        f"{type(model.divergence).__name__}({_arguments(model.divergence)}), "
        f"{model.num_samples} samples a step, times {model.kl_scale:g} / "
        f"{model.num_train_examples:,}",
    ]
    if isinstance(schedule, annealing.Linear):
        end = schedule.start_epoch + schedule.num_epochs
        lines[-1] += (
            f", annealed over epochs {schedule.start_epoch:g} to {end:g}"
        )
    if model.num_likelihood_samples > 1:
        lines.append(f"likelihood under {model.num_likelihood_samples} draws")
    lines.append(f"FusedAdam({learning_rate:g})")
    return f"{model.name}: " + "; ".join(lines)


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
    return sum(layer.draw_size() for layer in model.random_layers)


def _check_size(model):
    per_example = _num_weights(model) / model.num_train_examples
    if per_example * model.kl_scale > _MANY_WEIGHTS:
        warnings.warn(
            f"{_num_weights(model):,} random weights for "
            f"{model.num_train_examples:,} examples: the KL may drown the "
            "data. Fewer random layers (layers=...), start='pretrained' or "
            "kl_scale < 1 help; callbacks.CollapseDiagnostic tells.",
            stacklevel=4,
        )

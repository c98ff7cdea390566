"""What posteriors hold, and whether they can be trained in this memory."""

import math

import keras

from bbh_tf import divergences
from bbh_tf import memory
from bbh_tf.hypernetworks import sliced
from bbh_tf.layers import total_kl

_NUM_SLOTS = {"SGD": 1, "RMSprop": 1, "Adagrad": 1, "Lion": 1}
_ADAM_SLOTS = 2


def texts(model):
    """Says what is printed below a network's own summary.

    Args:
        model: a `bbh_tf.models.BayesianModel`.

    Returns:
        List of texts: the parts of all posteriors with their sizes and what
        becomes of the KL, several lines; the temperature, where there is one.
    """
    found = [_posterior_table(model)]
    if model.temperature not in (None, 1.0):
        found.append(f"Temperature of predictions: {model.temperature:.4g}")
    return found


def _posterior_table(model):
    rows = [("layer", "posterior", "weights", "parameters", "bytes")]
    total_weights = total_parameters = 0
    for layer in model.random_layers:
        for what, weights, parameters in layer.parameter_report():
            rows.append(_row(layer.name, what, weights, parameters))
            total_weights += weights
            total_parameters += parameters
    rows.append(_row("all", "", total_weights, total_parameters))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if index < 2 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "-" * (sum(widths) + 2 * (len(widths) - 1)))
    line = (
        f"KL weight after annealing: {model.kl_scale:g} / "
        f"{model.num_train_examples:,} training examples"
    )
    pairs = total_kl.pairs_of(model.random_layers)
    if pairs:
        line += f"; {type(model.divergence).__name__}{_samples(model)}"
        if model.divergence.is_upper_bound(pairs):
            line += ", an upper bound on the KL"
    lines.append(line)
    return "\n".join(lines)


def num_samples(model):
    """Returns how many samples the divergence looks at.

    Args:
        model: a `bbh_tf.models.BayesianModel`.

    Returns:
        Two integers, of the posterior's and of the prior's, 0 for none.
    """
    compares = isinstance(model.divergence, divergences.SampleDivergence)
    return (
        model.divergence.num_draws(model.num_samples),
        model.num_prior_samples if compares else 0,
    )


def _samples(model):
    """Tells their numbers, as `" of 5 posterior and 1 prior sample"`."""
    counts = dict(zip(("posterior", "prior"), num_samples(model)))
    told = [f"{count} {of}" for of, count in counts.items() if count]
    if not told:
        return ""
    plural = "" if told[-1].startswith("1 ") else "s"
    return f" of {' and '.join(told)} sample{plural}"


def check_training_memory(layers, optimizer):
    """Refuses training whose gradients and moments do not fit in memory.

    Args:
        layers: built random layers.
        optimizer: what was given to `compile`.

    Raises:
        MemoryError: naming sizes and the sliced form.
    """
    count = sum(
        math.prod(variable.shape)
        for layer in layers
        for variable in layer.trainable_variables
    )
    name = type(keras.optimizers.get(optimizer)).__name__
    copies = 1 + _NUM_SLOTS.get(name, _ADAM_SLOTS)
    memory.require(
        4 * copies * count,
        f"gradients and moments of {count:,} posterior parameters under "
        f"{name}. {sliced.ADVICE}",
    )


def _row(layer, what, weights, parameters):
    return (
        layer,
        what,
        f"{weights:,}",
        f"{parameters:,}",
        memory.format_bytes(4 * parameters),
    )

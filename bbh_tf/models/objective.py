"""A training step of a Bayesian model, and the terms of its loss."""

import functools
import warnings

import keras
import tensorflow as tf

from bbh_tf import randomness
from bbh_tf.layers import arrival
from bbh_tf.layers import drawing
from bbh_tf.layers import time_steps
from bbh_tf.layers import total_kl
from bbh_tf.models import data_terms


def after_its_data(step):
    """Lets nothing of a training step run before its data are there.

    Else counters, random seeds and discriminators would be a step ahead after
    each epoch on data of unknown length; see `arrival.after`.

    Args:
        step: function of a model, data and more.

    Returns:
        A function of the same arguments.
    """

    @functools.wraps(step)
    def waiting(model, data, *args):
        with tf.variable_creator_scope(_made_at_once), arrival.after(data):
            return step(model, data, *args)

    return waiting


def _made_at_once(make, **kwargs):
    """Makes a variable, of a metric say, whose first value XLA lifts out."""
    with tf.control_dependencies(None):
        return make(**kwargs)


@after_its_data
def train_step(model, data, num_draws):
    """Makes one optimiser step; see `BayesianModel`.

    Args:
        model: a `bbh_tf.models.BayesianModel`.
        data: `(x, y)` or `(x, y, sample_weight)`.
        num_draws: number of draws of the weights.

    Returns:
        Dictionary of metrics.

    Raises:
        ValueError: if there are no labels.
    """
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    if y is None:
        raise ValueError("Training needs labels: expected (x, y); got x.")
    num_replicas = tf.distribute.get_strategy().num_replicas_in_sync
    num_local = tf.shape(keras.tree.flatten(x)[0])[0]
    num_examples = sum_over_replicas(num_local)
    kl_weight = model.kl_weight()
    divergence = _trained_divergence(model)

    with tf.GradientTape() as tape:
        draws = drawing.sample_for_training(
            model.random_layers, num_draws, model.step_key()
        )
        draws, parts = drawing.apart(draws, model.num_likelihood_samples)
        nll, penalty, predictions = data_terms.of_draws(
            model, (x, y, sample_weight), parts
        )
        nll /= tf.cast(num_examples, tf.float32)
        kl = _kl_of(model, draws, divergence)
        # The optimiser adds the gradients of the replicas up.
        loss = nll + (kl_weight * kl + penalty) / num_replicas
        scaled_loss = model.optimizer.scale_loss(loss)

    variables = model.trainable_variables
    apply_gradients(model, tape.gradient(scaled_loss, variables), variables)
    count_step(model, num_examples)
    for tracker, value in (
        (model._loss_tracker, sum_over_replicas(loss)),
        (model._nll_tracker, sum_over_replicas(nll)),
        (model._kl_trackers["kl"], kl),
        (model._kl_trackers["kl_weight"], kl_weight),
    ):
        tracker.update_state(value, sample_weight=num_local)
    return model.compute_metrics(x, y, predictions, sample_weight)


@after_its_data
def call(model, inputs, num_draws):
    """Runs a step's forward pass; see `BayesianModel.call`."""
    total_kl.check_stateless(model.divergence)
    time_steps.check_none(model)
    layers = model.random_layers
    kl_weight = model.kl_weight()
    draws = drawing.sample_for_training(layers, num_draws, model.step_key())
    draws, (weights,) = drawing.apart(draws, 1)
    outputs, losses = drawing.call(
        model.network,
        layers,
        weights,
        0,
        (inputs,),
        {"training": True},
    )
    kl = _kl_of(model, draws, model.divergence)
    total_kl.add_losses(model, [*losses, kl_weight * kl])
    count_step(
        model, sum_over_replicas(tf.shape(keras.tree.flatten(inputs)[0])[0])
    )
    return outputs


def count_step(model, num_examples):
    """Advances the counters of a model by one step."""
    model.draw_number.assign(model.draw_number.value + 1)
    model.examples_seen.assign(
        model.examples_seen.value + tf.cast(num_examples, tf.int64)
    )


def _kl_of(model, draws, divergence):
    draws = [draw.take(model.num_samples) for draw in draws]
    total_kl.fit_priors(model.random_layers, draws)
    return total_kl.divergence(
        model.random_layers,
        draws,
        divergence,
        model.num_prior_samples,
        model.step_key(randomness.PRIOR),
    )


def apply_gradients(model, gradients, variables):
    """Takes the optimiser's step, where there is something to train."""
    if variables:
        model.optimizer.apply_gradients(zip(gradients, variables))
    else:
        warnings.warn(
            f"Model {model.name!r} has no trainable weights: nothing is "
            "trained.",
            stacklevel=2,
        )


def _trained_divergence(model):
    layers = model.random_layers
    if not total_kl.pairs_of(layers):
        return model.divergence

    def estimate_of(estimate, key):
        draws = drawing.sample_for_training(
            layers, model.num_samples, randomness.fold(key, 0)
        )
        return estimate.estimate(
            total_kl.pairs_of(layers, draws),
            model.num_prior_samples,
            randomness.fold(key, 1),
        )

    key = model.step_key(randomness.DISCRIMINATOR)
    return model.divergence.fit_step(estimate_of, key)


def sum_over_replicas(value):
    """Adds a tensor up over the replicas of the strategy in force."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return value
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)

"""The terms of the training loss that come from data and regularisers."""

import tensorflow as tf

from bbh_tf.layers import drawing
from bbh_tf.models import likelihoods


def data_terms(model, x, y, sample_weight, weights):
    """Runs the network on the drawn weights and scores the labels.

    Args:
        model: a `bbh_tf.models.BayesianModel`.
        x: inputs of the network.
        y: labels.
        sample_weight: weights of examples or labels, or None; see
            `likelihoods.log_prob`.
        weights: for each random layer, a list of `(num_samples, *shape)`, or
            None for noise of its own for each example.

    Returns:
        `(nll, penalty, prediction)`: -log p(y | x, w) in nats, summed over
        the examples and averaged over the draws; the sum of regularisers and
        losses that layers added; the mean prediction.
    """
    count = model.num_likelihood_samples
    nll, penalty, prediction = 0.0, _regularization(model.network), 0.0
    for index in range(count):
        outputs, losses = drawing.call(
            model.network,
            model.random_layers,
            weights,
            index,
            (x,),
            {"training": True},
        )
        distribution = likelihoods.distribution(model.likelihood, outputs)
        log_prob = likelihoods.log_prob(distribution, y, sample_weight)
        nll -= tf.reduce_sum(log_prob) / count
        penalty += _sum(losses) / count
        prediction += likelihoods.mean(distribution) / count
    return nll, penalty, prediction


def sum_over_replicas(value):
    """Adds a tensor up over the replicas of the strategy in force."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return value
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def _regularization(network):
    return _sum(
        variable.regularizer(variable)
        for variable in network.trainable_variables
        if variable.regularizer is not None
    )


def _sum(values):
    total = tf.constant(0.0)
    for value in values:
        total += tf.cast(value, tf.float32)
    return total

"""What the data add to the loss of a training step."""

import keras
import tensorflow as tf

from bbh_tf.layers import drawing
from bbh_tf.models import likelihoods
from bbh_tf.models import outputs as outputs_of


def of_draws(model, data, weights):
    """Runs the network on the drawn weights and scores the labels.

    Args:
        model: a `bbh_tf.models.BayesianModel`.
        data: `(x, y, sample_weight)`: inputs of the network; labels; weights
            of examples or labels, or None, see `likelihoods.log_prob`.
        weights: for each draw, a list for each random layer of `(1, *shape)`,
            or None for noise of its own for each example.

    Returns:
        `(nll, penalty, prediction)`: -log p(y | x, w) in nats, summed over
        the examples and averaged over the draws that see one; the sum of
        regularisers and losses that layers added; the mean prediction.
    """
    count = len(weights)
    nll, penalty, found = 0.0, _regularization(model.network), []
    for index, of_draw in enumerate(weights):
        part, size = data, None
        if model.split_batches:
            part, size = _part(data, index, count)
        log_prob, losses, *seen = _score(model, part, of_draw)
        nll -= tf.reduce_sum(_first(log_prob, size))
        penalty += _sum(losses) / count
        found.append([_first(values, size) for values in seen])
    predictions, masks = zip(*found)
    if model.split_batches:
        prediction = tf.concat(predictions, axis=0)
        mask = None if masks[0] is None else tf.concat(masks, axis=0)
    else:
        nll /= count
        prediction, mask = tf.add_n(predictions) / count, masks[0]
    return nll, penalty, likelihoods.with_mask(prediction, mask)


def _score(model, data, weights):
    """Returns log-likelihoods, losses of layers, mean prediction and mask."""
    x, y, sample_weight = data
    layers = model.random_layers
    outputs, losses = drawing.call(
        model.network, layers, weights, 0, (x,), {"training": True}
    )
    mask = outputs_of.mask(outputs)
    likelihoods.check_labels(model.likelihood, y, sample_weight, mask)
    distribution = likelihoods.distribution(model.likelihood, outputs)
    log_prob = likelihoods.log_prob(distribution, y, sample_weight, mask)
    return log_prob, losses, likelihoods.mean(distribution), mask


def _part(data, index, count):
    """Returns one of `count` parts of a batch, and how many of it count.

    A batch of fewer examples has parts without any. These see the example that
    the next one begins with, since layers that average over the batch have no
    value for none, and it does not count.
    """
    first = keras.tree.flatten(data[0])[0]
    size = tf.shape(first)[0] if first.shape[0] is None else first.shape[0]
    start, end = (size * step // count for step in (index, index + 1))
    bigger = max if isinstance(size, int) else tf.maximum
    stop = bigger(end, start + 1)
    part = keras.tree.map_structure(
        lambda values: None if values is None else values[start:stop], data
    )
    return part, end - start


def _first(values, size):
    return values if size is None or values is None else values[:size]


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

"""The log-likelihood of single labels."""

import math

import keras
import tensorflow as tf


def of_each(distribution, labels, is_categorical):
    """Evaluates the log-likelihood of each label.

    Args:
        distribution: what a likelihood returned, for `batch` examples.
        labels: see `likelihoods.log_prob`.
        is_categorical: whether the distribution is over classes.

    Returns:
        Tensor of the labels' shape, nats.

    Raises:
        ValueError: if the labels' shape does not fit, classes are no whole
            numbers, or the distribution has no mean.
    """
    if isinstance(labels, (dict, list, tuple)) and any(
        hasattr(leaf, "shape") for leaf in keras.tree.flatten(labels)
    ):
        raise ValueError(
            "Expected labels as one array, for the network's one output; got "
            f"{len(keras.tree.flatten(labels))} array(s) in a "
            f"{type(labels).__name__}."
        )
    labels = tf.convert_to_tensor(labels)
    if is_categorical:
        logits = distribution.logits_parameter()
        if labels.shape.rank == logits.shape.rank:
            if labels.shape[-1] != 1:
                _check_shape(labels, logits, "one-hot labels")
                return tf.reduce_sum(
                    tf.cast(labels, logits.dtype) * tf.nn.log_softmax(logits),
                    axis=-1,
                )
            labels = tf.squeeze(labels, -1)
        _check_shape(labels, logits[..., 0], "class labels")
        whole = tf.cast(labels, tf.int32)
        if labels.dtype.is_floating:
            whole, logits = _whole(labels, logits)
        return -tf.nn.sparse_softmax_cross_entropy_with_logits(whole, logits)
    target = mean_of(distribution)
    if labels.shape.rank is None:
        raise ValueError(
            f"Expected labels of shape {tuple(target.shape)}; got labels whose "
            "number of axes is not known: call set_shape where they are made."
        )
    if labels.shape.rank == target.shape.rank - 1 and target.shape[-1] == 1:
        labels = labels[..., None]
    _check_shape(labels, target, "labels")
    return distribution.log_prob(tf.cast(labels, target.dtype))


def mean_of(distribution):
    """Returns the mean of a distribution of labels.

    Raises:
        ValueError: if it has none.
    """
    try:
        return distribution.mean()
    except (AttributeError, NotImplementedError) as error:
        raise ValueError(
            "Expected a likelihood whose distribution has a mean, which is "
            f"what predictions and metrics are; {type(distribution).__name__} "
            "has none: give it one in a subclass, or, for classes, return "
            "tfp.distributions.Categorical(probs=...)."
        ) from error


def _whole(labels, logits):
    """Returns float labels as integers, and logits, NaN where they are none."""
    is_whole = tf.equal(tf.floor(labels), labels)
    message = (
        "Expected class labels, whole numbers; got some that are not: for "
        "probabilities of classes, labels have the shape of the outputs."
    )
    check = None
    if not tf.executing_eagerly():
        check = tf.debugging.assert_equal(
            tf.reduce_all(is_whole), True, message
        )
    elif not tf.reduce_all(is_whole):
        raise ValueError(message)
    # XLA drops the check: there, what is no label gives no likelihood.
    with tf.control_dependencies([] if check is None else [check]):
        whole = tf.cast(tf.where(is_whole, labels, 0), tf.int32)
    return whole, tf.where(is_whole[..., tf.newaxis], logits, math.nan)


def _check_shape(labels, target, what):
    if not labels.shape.is_compatible_with(target.shape):
        raise ValueError(
            f"Expected {what} of shape {tuple(target.shape)}; got "
            f"{tuple(labels.shape)}."
        )

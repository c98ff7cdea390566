"""The log-likelihood of single labels."""

import math

import keras
import tensorflow as tf


def of_each(distribution, labels, is_categorical, mask=None):
    """Evaluates the log-likelihood of each label.

    Args:
        distribution: what a likelihood returned, for `batch` examples.
        labels: see `likelihoods.log_prob`.
        is_categorical: whether the distribution is over classes.
        mask: see `likelihoods.log_prob`; where it is False, a label is looked
            at no further.

    Returns:
        Tensor of the labels' shape, nats; any finite numbers where the mask is
        False.

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
                labels = _without_padding(labels, mask, 0)
                return tf.reduce_sum(
                    tf.cast(labels, logits.dtype) * tf.nn.log_softmax(logits),
                    axis=-1,
                )
            labels = tf.squeeze(labels, -1)
        _check_shape(labels, logits[..., 0], "class labels")
        labels = _without_padding(labels, mask, 0)
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
    labels = _without_padding(tf.cast(labels, target.dtype), mask, target)
    return distribution.log_prob(labels)


def _without_padding(labels, mask, likely):
    """Returns labels, and where a mask is False what is sure to be one.

    Padding may hold no label at all: NaN, of which gradients would be NaN even
    where the likelihood does not count, or a class of -1.
    """
    if mask is None:
        return labels
    likely = tf.stop_gradient(tf.cast(likely, labels.dtype))
    return tf.where(mask_like(mask, labels), labels, likely)


def mask_like(mask, values):
    """Returns a mask with as many axes as values, which it fits.

    Raises:
        ValueError: if it does not.
    """
    mask = tf.cast(mask, tf.bool)
    for _ in range(values.shape.rank - mask.shape.rank):
        mask = mask[..., tf.newaxis]
    sizes = zip(mask.shape, values.shape)
    if mask.shape.rank != values.shape.rank or any(
        None not in pair and pair[0] not in (1, pair[1]) for pair in sizes
    ):
        raise ValueError(
            "Expected a mask of outputs that fits the labels, "
            f"{tuple(values.shape)}; got {tuple(mask.shape)}."
        )
    return mask


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

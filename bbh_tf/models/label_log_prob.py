"""The log-likelihood of single labels."""

import math

import keras
import tensorflow as tf

# Of probabilities in bfloat16.
_ROW_SUM_TOLERANCE = 1e-2


def of_each(distribution, labels, is_categorical, weights=None, mask=None):
    """Evaluates the log-likelihood of each label.

    Args:
        distribution: what a likelihood returned, for `batch` examples.
        labels: see `likelihoods.log_prob`.
        is_categorical: whether the distribution is over classes.
        weights: see there: where they are 0 a label need be none, NaN say.
        mask: see there: nor where it is False.

    Returns:
        Tensor of the labels' shape, nats; of what counts for nothing, any
        finite number.

    Raises:
        ValueError: if the labels' shape does not fit, classes are no whole
            numbers, rows no probabilities, or the distribution has no mean.
    """
    check_one_array("labels", labels)
    labels = tf.convert_to_tensor(labels)
    counts = _counts(weights, mask)
    if is_categorical:
        logits = distribution.logits_parameter()
        if counts or labels.dtype.is_floating:
            _check_rank(labels, logits[..., 0])
        if labels.shape.rank == logits.shape.rank:
            if labels.shape[-1] != 1:
                labels = _shaped(labels, logits, "one-hot labels")
                labels = _filled(labels, counts, 0)
                labels = tf.cast(labels, logits.dtype)
                if not counts:
                    labels = _probabilities(labels)
                # Logits of -inf rule classes out: 0 log 0 is 0.
                return tf.reduce_sum(
                    tf.math.multiply_no_nan(tf.nn.log_softmax(logits), labels),
                    axis=-1,
                )
            labels = tf.squeeze(labels, -1)
        labels = _shaped(labels, logits[..., 0], "class labels")
        labels = _filled(labels, counts, 0)
        whole = tf.cast(labels, tf.int32)
        if labels.dtype.is_floating:
            whole, logits = _whole(labels, logits)
        return -tf.nn.sparse_softmax_cross_entropy_with_logits(whole, logits)
    target = mean_of(distribution)
    _check_rank(labels, target)
    if labels.shape.rank == target.shape.rank - 1 and target.shape[-1] == 1:
        labels = labels[..., None]
    labels = _shaped(labels, target, "labels")
    labels = tf.cast(labels, target.dtype)
    # A Cauchy distribution's mean is NaN.
    target = tf.where(tf.math.is_nan(target), tf.zeros_like(target), target)
    labels = _filled(labels, counts, tf.stop_gradient(target))
    return distribution.log_prob(labels)


def check_one_array(name, given):
    """Refuses arrays in a structure, as Keras takes them for several outputs.

    Args:
        name: str, what they are, for the message.
        given: an array, a tensor, a structure of these, or None.

    Raises:
        ValueError: if it is a structure of arrays, even of one.
    """
    if isinstance(given, (dict, list, tuple)) and any(
        hasattr(leaf, "shape") for leaf in keras.tree.flatten(given)
    ):
        raise ValueError(
            f"Expected {name} as one array, for the network's one output; got "
            f"{len(keras.tree.flatten(given))} array(s) in a "
            f"{type(given).__name__}."
        )


def require(is_fine, message):
    """Refuses what is found out of the values of labels.

    Args:
        is_fine: bool tensor, a scalar.
        message: str, what was expected and what came.

    Returns:
        Operations for `tf.control_dependencies`, none in eager code.

    Raises:
        ValueError: in eager code; programs raise
            `tf.errors.InvalidArgumentError` when they run, and XLA drops the
            check.
    """
    if not tf.executing_eagerly():
        check = tf.debugging.assert_equal(is_fine, True, message)
        return [] if check is None else [check]
    if not is_fine:
        raise ValueError(message)
    return []


def like(weights, labels):
    """Returns weights with as many axes as labels are scored with.

    They may have one of length 1 more, or less, as the labels themselves.

    Args:
        weights: tensor `(batch, ...)`.
        labels: tensor `(batch, ...)`, labels or their log-likelihoods.
    """
    more = weights.shape.rank == labels.shape.rank + 1
    less = weights.shape.rank == labels.shape.rank - 1
    if more and weights.shape[-1] == 1:
        return weights[..., 0]
    return (
        weights[..., tf.newaxis] if less and labels.shape[-1] == 1 else weights
    )


def _counts(weights, mask):
    """Returns bools, of examples or of labels: which of these count."""
    found = [] if mask is None else [tf.cast(mask, tf.bool)]
    if weights is not None:
        weights = tf.cast(tf.convert_to_tensor(weights), tf.float32)
        if weights.shape[1:] == [1]:
            weights = weights[:, 0]
        found.append(tf.not_equal(weights, 0.0))
    return found


def _filled(labels, counts, instead):
    """Puts what is a label in the place of what counts for nothing.

    A factor of 0 would not do: NaN times 0 is NaN, in the gradient too.
    """
    rank = labels.shape.rank
    for each in counts:
        each = like(each, labels)
        if each.shape.rank is None:
            # After other weights in another `fit`: those of examples.
            each = tf.reshape(each, tf.shape(labels)[:1])
        own = each.shape.rank
        if not each.shape.is_compatible_with(labels.shape[:own]):
            # Refused with a line of its own where it is applied.
            continue
        each = each[(...,) + (tf.newaxis,) * (rank - own)]
        if None in (*each.shape[1:], *labels.shape[1:]):
            # Or labels would be broadcast, to more of them than there are.
            each = tf.broadcast_to(each, tf.shape(labels))
        labels = tf.where(each, labels, tf.cast(instead, labels.dtype))
    return labels


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


def _probabilities(labels):
    """Returns rows of labels, or refuses them: no probabilities of classes.

    What is computed of others has no bound, or is of several labels at once.
    XLA drops the check.
    """
    off = tf.abs(tf.reduce_sum(labels, axis=-1) - 1.0)
    all_fine = tf.reduce_all(off <= _ROW_SUM_TOLERANCE)
    all_fine &= tf.reduce_all(labels >= 0.0)
    message = (
        "Expected rows of labels that are one-hot, or probabilities with a sum "
        "of 1; got others: several labels that are 0 or 1 each are of "
        '"bernoulli_logits", and rows of 0 want a sample_weight of 0.'
    )
    with tf.control_dependencies(require(all_fine, message)):
        return tf.identity(labels)


def _whole(labels, logits):
    """Returns float labels as integers, and logits, NaN where they are none."""
    is_whole = tf.equal(tf.floor(labels), labels)
    message = (
        "Expected class labels, whole numbers; got some that are not: for "
        "probabilities of classes, labels have the shape of the outputs."
    )
    # XLA drops the check: there, what is no label gives no likelihood.
    with tf.control_dependencies(require(tf.reduce_all(is_whole), message)):
        whole = tf.cast(tf.where(is_whole, labels, 0), tf.int32)
    return whole, tf.where(is_whole[..., tf.newaxis], logits, math.nan)


def _check_rank(labels, target):
    """Refuses labels of an unknown number of axes, in a program."""
    if labels.shape.rank is None:
        raise ValueError(
            f"Expected labels of shape {tuple(target.shape)}; got labels whose "
            "number of axes is not known: call set_shape where they are made, "
            "or give each fit as many axes."
        )


def _shaped(labels, target, what):
    """Returns labels of the target's shape, or refuses them.

    Programs do not know the sizes of all axes where data have several, or of
    none: there labels are compared when they run, or they would be broadcast.
    """
    if not labels.shape.is_compatible_with(target.shape):
        raise ValueError(
            f"Expected {what} of shape {tuple(target.shape)}; got "
            f"{tuple(labels.shape)}."
        )
    shapes = labels.shape, target.shape
    if None in (x.rank for x in shapes) or all(
        None not in pair for pair in zip(*(x[1:] for x in shapes))
    ):
        return labels
    shape, wanted = tf.shape(labels), tf.shape(target)
    check = tf.debugging.assert_equal(
        shape[1:],
        wanted[1:],
        f"Expected {what} of the shape that the outputs are for, but for the "
        "batch; got x in the place of y.",
    )
    # XLA drops the check, but not the sizes of what is reshaped.
    with tf.control_dependencies([] if check is None else [check]):
        return tf.reshape(labels, wanted)

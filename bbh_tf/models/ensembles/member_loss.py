"""The loss of one network of an ensemble, with adversarial examples."""

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf.layers import replica_noise
from bbh_tf.models import label_log_prob
from bbh_tf.models import likelihoods
from bbh_tf.models import outputs as outputs_of

_GRADIENT_SCALE = 2.0**10
_EXPONENT_BITS = 0x7F800000


class MemberLoss:
    """Scores a network on a batch, and on examples moved to be harder.

    For the same attack on finished models see `bbh_tf.attacks`.

    Args:
        likelihood: see `bbh_tf.models.likelihoods.get`; as it returns it.
        epsilon: how far inputs are moved; None for no adversarial examples.
        weight: weight of their loss, from 0 to 1.
        clip_range: `(lowest, highest)` value they may have; None for no limit.

    Raises:
        ValueError: if an argument is invalid.
    """

    def __init__(self, likelihood, epsilon, weight, clip_range):
        if epsilon is not None:
            checks.check_factor("adversarial_epsilon", epsilon)
        checks.check_factor("adversarial_weight", weight)
        if weight > 1:
            raise ValueError(
                "Expected adversarial_weight to be from 0 to 1; got "
                f"{weight!r}."
            )
        self._likelihood = likelihood
        self.epsilon = None if epsilon is None else float(epsilon)
        self.weight = float(weight)
        self.clip_range = checks.limits("adversarial_clip_range", clip_range)

    def terms(self, tape, network, x, y, sample_weight):
        """Runs a network in training mode.

        Args:
            tape: the gradient tape that is recording.
            network: a Keras model.
            x: inputs.
            y: labels.
            sample_weight: weights of examples or labels, or None; see
                `likelihoods.log_prob`.

        Returns:
            `(nll, cost, penalty, prediction)`: -log p(y | x), nats, summed
            over examples; its mean with that of the moved examples, by
            `weight`; regularisers and losses that layers added; the prediction
            for `x`.

        Raises:
            ValueError: if inputs are to be moved and not of a float type.
        """
        if self.epsilon is None:
            *_, nll, penalty, prediction = self._run(
                network, x, y, sample_weight
            )
            return nll, nll, penalty, prediction
        x = _moveable(x)
        with tf.GradientTape(
            persistent=True, watch_accessed_variables=False
        ) as input_tape:
            input_tape.watch(x)
            outputs, unweighted, nll, penalty, prediction = self._run(
                network, x, y, sample_weight
            )
        # The moved examples are data: no gradient goes through them.
        with tape.stop_recording():
            slopes = input_tape.gradient(
                unweighted, outputs, unconnected_gradients="zero"
            )
            gradient = input_tape.gradient(
                unweighted,
                x,
                # Only its sign counts: in float16 small ones would be lost,
                # and those of labels far off would be infinite.
                output_gradients=_scale_of(slopes),
                unconnected_gradients="zero",
            )
            moved = keras.tree.map_structure(self._move, x, gradient)
        *_, moved_nll, moved_penalty, _ = self._run(
            network, moved, y, sample_weight
        )
        cost = (1 - self.weight) * nll + self.weight * moved_nll
        # Regularisers of weights are the same in both.
        penalty = (1 - self.weight) * penalty + self.weight * moved_penalty
        return nll, cost, penalty, prediction

    def _run(self, network, x, y, sample_weight):
        with replica_noise.apart(network):
            outputs = network(x, training=True)
        distribution = likelihoods.distribution(self._likelihood, outputs)
        mask = outputs_of.mask(outputs)
        likelihoods.check_labels(self._likelihood, y, sample_weight, mask)
        unweighted = nll = -tf.reduce_sum(
            likelihoods.log_prob(distribution, y, sample_weight, mask)
        )
        if sample_weight is not None:
            labels = _any_labels(y, distribution)
            ones = tf.ones_like(sample_weight)
            unweighted = -tf.reduce_sum(
                likelihoods.log_prob(distribution, labels, ones, mask)
            )
        penalty = sum(
            (tf.cast(loss, tf.float32) for loss in network.losses),
            start=tf.constant(0.0),
        )
        prediction = likelihoods.with_mask(likelihoods.mean(distribution), mask)
        return outputs, unweighted, nll, penalty, prediction

    def _move(self, x, gradient):
        moved = x + tf.cast(self.epsilon, x.dtype) * tf.sign(gradient)
        if self.clip_range is None:
            return moved
        lowest, highest = self.clip_range
        # Inputs outside of it are not moved by more than epsilon.
        return tf.clip_by_value(
            moved, tf.minimum(x, lowest), tf.maximum(x, highest)
        )


def _any_labels(y, distribution):
    """Returns labels with some in the place of NaN and of no class.

    Those may have a weight of 0, and their examples are moved all the same.
    """
    label_log_prob.check_one_array("labels", y)
    y = tf.convert_to_tensor(y)
    if y.dtype.is_floating:
        y = tf.where(tf.math.is_finite(y), y, tf.zeros_like(y))
    if likelihoods.is_categorical(distribution):
        y = y if y.dtype.is_floating else tf.cast(y, tf.int64)
        last = distribution.logits_parameter().shape[-1] - 1
        y = tf.clip_by_value(y, tf.cast(0, y.dtype), tf.cast(last, y.dtype))
    return y


def _scale_of(slopes):
    """Returns a factor under which these slopes of outputs fit in float16.

    A power of two, which changes no digit in float32.
    """
    steepest = tf.reduce_max(tf.abs(tf.cast(slopes, tf.float32)))
    bits = tf.bitcast(tf.maximum(1.0, steepest), tf.int32)
    power = tf.bitcast(tf.bitwise.bitwise_and(bits, _EXPONENT_BITS), tf.float32)
    return _GRADIENT_SCALE / power


def _moveable(x):
    """Returns inputs as tensors that can be moved."""
    tensors = keras.tree.map_structure(tf.convert_to_tensor, x)
    for tensor in keras.tree.flatten(tensors):
        if not tensor.dtype.is_floating:
            raise ValueError(
                "Adversarial training moves inputs: expected a float type; "
                f"got {tensor.dtype.name}."
            )
    return tensors

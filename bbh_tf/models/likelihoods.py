"""From a network's outputs to the distribution of the labels.

A likelihood is a callable that takes outputs, a `float32` tensor of shape
`(batch, ...)`, and returns a `tfp.distributions.Distribution` over labels.
TensorFlow Probability is imported when one is first called.
"""

import inspect

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import fixed
from bbh_tf.models import label_log_prob
from bbh_tf.models import likelihood_variables


@keras.saving.register_keras_serializable(package="bbh_tf.models")
def categorical_logits(outputs):
    """Class probabilities `softmax(outputs)`; labels are class numbers."""
    import tensorflow_probability as tfp

    return tfp.distributions.Categorical(logits=outputs)


@keras.saving.register_keras_serializable(package="bbh_tf.models")
def bernoulli_logits(outputs):
    """Probabilities `sigmoid(outputs)` of labels that are 0 or 1."""
    import tensorflow_probability as tfp

    return tfp.distributions.Bernoulli(logits=outputs)


@keras.saving.register_keras_serializable(package="bbh_tf.models")
def normal_learned_scale(outputs):
    """A normal whose mean and scale the network computes.

    The last axis holds the means, then as many raw scales `s`; the standard
    deviation is `softplus(s) + 1e-6`.
    """
    import tensorflow_probability as tfp

    mean, raw_scale = tf.split(outputs, 2, axis=-1)
    return tfp.distributions.Normal(mean, tf.nn.softplus(raw_scale) + 1e-6)


@keras.saving.register_keras_serializable(package="bbh_tf.models")
class Normal(fixed.Fixed):
    """A normal around the outputs, of one fixed standard deviation.

    Args:
        scale: standard deviation, in the units of the labels.

    Raises:
        ValueError: if `scale` is not positive and finite.
    """

    def __init__(self, scale=1.0):
        if not checks.is_positive(scale):
            raise ValueError(
                "The normal likelihood expects a positive, finite scale; "
                f"got {scale!r}."
            )
        self.scale = float(scale)

    def __call__(self, outputs):
        """Returns `tfp.distributions.Normal(outputs, scale)`."""
        import tensorflow_probability as tfp

        return tfp.distributions.Normal(outputs, self.scale)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {"scale": self.scale}

    @classmethod
    def from_config(cls, config):
        """Makes a likelihood from `get_config`'s dictionary."""
        return cls(**config)


_BY_NAME = {
    "bernoulli_logits": lambda: bernoulli_logits,
    "categorical_logits": lambda: categorical_logits,
    "normal": Normal,
    "normal_learned_scale": lambda: normal_learned_scale,
}


def get(likelihood):
    """Turns a name, a callable or a serialised likelihood into a callable.

    Raises:
        ValueError: if it is none of these.
    """
    if isinstance(likelihood, str) and likelihood in _BY_NAME:
        return _BY_NAME[likelihood]()
    if isinstance(likelihood, dict):
        return keras.saving.deserialize_keras_object(likelihood)
    if callable(likelihood) and _takes_outputs(likelihood):
        likelihood_variables.check(likelihood)
        return likelihood
    raise ValueError(
        "A likelihood is a callable from outputs to a tfp distribution, or "
        f"one of {', '.join(sorted(_BY_NAME))}; got {likelihood!r}."
    )


def _takes_outputs(likelihood):
    """Whether it can be called on outputs alone, as no Keras loss can."""
    try:
        inspect.signature(likelihood).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True  # Of C, without a signature.
    return likelihood is not Normal


class _Categorical:
    """What scoring needs of `tfp.distributions.Categorical(logits=...)`.

    Most models classify, and TensorFlow Probability takes a second and 50 MB
    to import.
    """

    def __init__(self, logits):
        self.logits = logits

    def logits_parameter(self):
        return self.logits

    def probs_parameter(self):
        return tf.nn.softmax(self.logits)


def distribution(likelihood, outputs):
    """Returns the distribution of the labels, for the functions below.

    Args:
        likelihood: a callable, as `get` returns it.
        outputs: the network's outputs, in any float type.

    Returns:
        `likelihood(outputs)`, or something lighter that stands for it.
    """
    outputs = tf.cast(outputs, tf.float32)
    if likelihood is categorical_logits:
        return _Categorical(outputs)
    return likelihood(outputs)


def name_of(likelihood):
    """Returns the name of a likelihood: that for `get`, or a callable's own."""
    for name, make in _BY_NAME.items():
        made = make()
        if likelihood is made or type(likelihood) is type(made) is Normal:
            return name
    return getattr(likelihood, "__name__", type(likelihood).__name__)


def has_logits(likelihood):
    """Whether a likelihood's outputs are logits, of classes or of 0 and 1."""
    return likelihood is categorical_logits or likelihood is bernoulli_logits


def is_normal(likelihood):
    """Whether a likelihood is one of the normal ones here."""
    # Subclasses may be of anything.
    return likelihood is normal_learned_scale or type(likelihood) is Normal


def is_categorical(distribution):
    """Whether a distribution is over classes, with probabilities to show."""
    # By name, so that TensorFlow Probability need not be imported.
    names = {base.__name__ for base in type(distribution).__mro__}
    return bool(names & {"_Categorical", "Categorical", "OneHotCategorical"})


def mean(distribution):
    """Returns class probabilities, or the mean where there are no classes."""
    if is_categorical(distribution):
        return distribution.probs_parameter()
    return label_log_prob.mean_of(distribution)


def with_mask(prediction, mask):
    """Returns a prediction that brings a mask to Keras' metrics.

    Args:
        prediction: tensor `(batch, ...)`.
        mask: bools, `(batch, ...)`, or None for none.
    """
    if mask is not None:
        prediction._keras_mask = mask
    return prediction


def log_prob(distribution, labels, weights=None, mask=None):
    """Evaluates the log-likelihood of labels.

    Args:
        distribution: what a likelihood returned, for `batch` examples.
        labels: for classes, integers `(batch,)` or `(batch, 1)`, or
            probabilities `(batch, classes)` (one-hot); otherwise as the
            distribution's batch shape, but for axes of length 1.
        weights: factors of examples, `(batch,)` or `(batch, 1)`, or of single
            labels, in their shape: `(batch, time)` of sequences. None for 1.
        mask: Keras' mask of the outputs, bools `(batch, ...)`: labels where it
            is False do not count. None for all.

    Returns:
        `float32` tensor of shape `(batch,)`, nats.

    Raises:
        ValueError: if the shape of labels or weights does not fit; in programs
            without sizes `tf.errors.InvalidArgumentError`, when they run.
    """
    values = label_log_prob.of_each(
        distribution, labels, is_categorical(distribution), weights, mask
    )
    if mask is not None:
        mask = _like(mask, values)
        values = tf.where(mask, values, tf.zeros_like(values))
    return _sum_per_example(values, weights)


def check_labels(likelihood, labels, weights=None, mask=None):
    """Refuses labels of `"bernoulli_logits"` that are not from 0 to 1.

    Beyond, what is computed has no bound. XLA drops the check.

    Args:
        likelihood: as `get` returns it.
        labels: see `log_prob`.
        weights: see there: where there are some, or a mask, what does not
            count need be no label, and nothing is refused.
        mask: see there.

    Raises:
        ValueError: if one is not, or weights are several arrays; for labels,
            programs raise `tf.errors.InvalidArgumentError` when they run.
    """
    label_log_prob.check_one_array("sample_weight", weights)
    is_free = weights is not None or mask is not None
    # `log_prob` says what is wrong with several arrays.
    is_free |= keras.tree.is_nested(labels)
    if likelihood is not bernoulli_logits or is_free:
        return
    labels = tf.convert_to_tensor(labels)
    if labels.dtype == tf.bool:
        return
    all_fine = tf.reduce_all((labels >= 0) & (labels <= 1))
    label_log_prob.require(
        all_fine, "Expected labels that are 0, 1 or between; got others."
    )


def _like(mask, values):
    """Returns a mask with as many axes as values, which it fits."""
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


def are_of_labels(weights):
    """Whether weights, or None, are one for each of an example's labels."""
    if weights is None:
        return False
    shape = tf.TensorShape(weights.shape)
    return shape.rank is not None and shape.rank > 1 and shape[1:] != [1]


def _sum_per_example(values, weights):
    axes = list(range(1, values.shape.rank))
    values = tf.cast(values, tf.float32)
    if weights is None:
        return tf.reduce_sum(values, axis=axes)
    weights = tf.cast(tf.convert_to_tensor(weights), tf.float32)
    if not are_of_labels(weights):
        return tf.reduce_sum(values, axis=axes) * tf.reshape(weights, [-1])
    weights = label_log_prob.like(weights, values)
    if not weights.shape.is_compatible_with(values.shape):
        raise ValueError(
            "Expected sample_weight of shape (batch,), or that of the labels, "
            f"{tuple(values.shape)}; got {tuple(weights.shape)}."
        )
    return tf.reduce_sum(values * weights, axis=axes)

"""Schedules of the factor that multiplies the KL during training.

A schedule is a callable from the epoch, a scalar `float32` tensor (passes over
the training set so far: 3.5 is halfway through the fourth), to the factor.
"""

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import fixed


@keras.saving.register_keras_serializable(package="bbh_tf.annealing")
class Linear(fixed.Fixed):
    """Zero until `start_epoch`, then a straight line to one.

    Computes `clip((epoch - start_epoch) / num_epochs, 0, 1)`. The paper
    anneals the KL of BbH and MNF (Sec. 3) without saying how; the authors'
    code starts at epoch 5 (MNIST) or 20 (CIFAR5) and takes 15 epochs.

    Args:
        start_epoch: epoch at which the factor leaves zero; may be a fraction.
        num_epochs: epochs from zero to one; 0 for a step.

    Raises:
        ValueError: if either is negative or no finite number.
    """

    def __init__(self, start_epoch=5, num_epochs=15):
        for name, value in (
            ("start_epoch", start_epoch),
            ("num_epochs", num_epochs),
        ):
            checks.check_factor(name, value)
        self.start_epoch = start_epoch
        self.num_epochs = num_epochs

    def __call__(self, epoch):
        """Returns the factor at an epoch.

        Args:
            epoch: scalar `float32` tensor, passes over the training set so
                far (3.5 is halfway through the fourth).

        Returns:
            Scalar `float32` tensor between 0 and 1.
        """
        epoch = tf.cast(epoch, tf.float32)
        if not self.num_epochs:
            return tf.cast(epoch >= self.start_epoch, tf.float32)
        return tf.clip_by_value(
            (epoch - self.start_epoch) / self.num_epochs, 0.0, 1.0
        )

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "start_epoch": self.start_epoch,
            "num_epochs": self.num_epochs,
        }

    @classmethod
    def from_config(cls, config):
        """Makes a schedule from `get_config`'s dictionary."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="bbh_tf.annealing")
def constant(epoch):
    """Returns 1 at all epochs: the KL counts in full from the start."""
    return tf.ones_like(epoch, tf.float32)


def get(schedule):
    """Turns an argument `annealing` into a callable.

    Args:
        schedule: a callable from the epoch to a factor, its serialised form,
            or None for `constant`.

    Raises:
        ValueError: if it is none of these, returns no scalar, or needs the
            epoch's value, as `min`, `if` and `math.exp` do.
    """
    if schedule is None:
        return constant
    if isinstance(schedule, dict):
        schedule = keras.saving.deserialize_keras_object(schedule)
    if isinstance(schedule, type) or not callable(schedule):
        raise ValueError(
            "Expected annealing to be a callable from the epoch to a factor, "
            f"or None; got {schedule!r}."
        )
    factors = _traced(schedule)
    if len(factors) != 1:
        raise ValueError(
            "Expected annealing to return a scalar; got "
            f"{len(factors) or 'nothing'} from {schedule!r}."
        )
    (factor,) = factors
    if not tf.TensorShape([]).is_compatible_with(factor.shape):
        raise ValueError(
            "Expected annealing to return a scalar; got shape "
            f"{tuple(factor.shape)} from {schedule!r}."
        )
    return schedule


def _traced(schedule):
    """Returns the tensors that a schedule makes of an epoch."""
    epoch = tf.TensorSpec([], tf.float32)
    try:
        function = tf.function(schedule, autograph=False)
        return function.get_concrete_function(epoch).outputs
    except tf.errors.OperatorNotAllowedInGraphError as error:
        raise ValueError(
            "Expected annealing to be made of TensorFlow's operations, such "
            "as tf.minimum, since the epoch is a tensor; got "
            f"{schedule!r}, which needs its value."
        ) from error
    except (TypeError, NotImplementedError) as error:
        # Python's functions of numbers and NumPy's, and wrong signatures.
        first_line = str(error).strip().partition("\n")[0]
        raise ValueError(
            "Expected annealing to be a function of the epoch, a tensor, made "
            "of TensorFlow's operations, such as tf.exp in the place of "
            f"math.exp; got {schedule!r}: {first_line}"
        ) from error

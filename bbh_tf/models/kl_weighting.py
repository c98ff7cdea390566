"""The factor of the KL, and what of it can be set while a model is trained."""

import tensorflow as tf

from bbh_tf import checks
from bbh_tf import settings


class KLWeighting:
    """The part of a `BayesianModel` that weighs its KL."""

    num_train_examples = settings.Setting("int64", checks.check_count)
    kl_scale = settings.Setting("float64", checks.check_factor)

    @property
    def variables(self):
        """All variables, with those that hold what can be set."""
        return [*super().variables, *self._held()]

    def _held(self):
        kind = KLWeighting
        return [
            self.kept_seed.variable,
            kind.num_train_examples.variable(self),
            kind.kl_scale.variable(self),
        ]

    def _unnamed(self):
        return {id(variable) for variable in self._held()}

    def kl_weight(self):
        """Returns the factor of the KL in the loss of the next step."""
        # float32 would lose count at 2^24 examples.
        kind = KLWeighting
        count = tf.cast(kind.num_train_examples.tensor(self), tf.float64)
        epoch = tf.cast(self.examples_seen.value, tf.float64)
        factor = self.annealing(tf.cast(epoch / count, tf.float32))
        scale = tf.cast(kind.kl_scale.tensor(self) / count, tf.float32)
        return tf.cast(factor, tf.float32) * scale

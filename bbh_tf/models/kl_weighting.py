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
        factor = self.annealing(self.epoch())
        scale = KLWeighting.kl_scale.tensor(self) / self._num_examples()
        return tf.cast(factor, tf.float32) * tf.cast(scale, tf.float32)

    def epoch(self):
        """Returns the passes over the training set so far, a scalar tensor."""
        seen = tf.cast(self.examples_seen.value, tf.float64)
        return tf.cast(seen / self._num_examples(), tf.float32)

    def _num_examples(self):
        # float32 would lose count at 2^24 examples.
        count = KLWeighting.num_train_examples.tensor(self)
        return tf.cast(count, tf.float64)

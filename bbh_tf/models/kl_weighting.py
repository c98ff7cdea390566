"""The factor of the KL, and what of it can be set while a model is trained."""

import functools
import warnings

import keras
import tensorflow as tf

from bbh_tf import annealing as schedules
from bbh_tf import checks
from bbh_tf import settings

# The last step of an epoch may stand a rounding error before its end.
_ROUNDING = 1e-3


class KLWeighting:
    """The part of a `BayesianModel` that weighs its KL."""

    num_train_examples = settings.Setting("int64", checks.check_count)
    kl_scale = settings.Setting("float64", checks.check_factor)

    # Whether who trains it goes on after this `fit`, whose end is no end then.
    more_fits_follow = False

    # Once a model: those who train epoch by epoch have read it.
    _has_warned = False

    @functools.wraps(keras.Model.fit)
    def fit(self, *args, **kwargs):
        history = super().fit(*args, **kwargs)
        self._warn_if_batches(history.params.get("steps"))
        is_annealed = isinstance(self.annealing, schedules.Linear)
        if is_annealed and not self.more_fits_follow:
            self._warn_if_annealed(float(self.epoch()))
        return history

    def restart_annealing(self):
        """Begins the annealing of the KL anew, at epoch 0.

        For a `fit` that goes on with more data (whose number is
        `num_train_examples`, which can be set), in which the KL would count
        in full from the first step. An `EpochCosineDecay`, which counts the
        same epochs, begins anew with it. Weights, draws and the optimiser's
        state stay.
        """
        self.examples_seen.assign(0)

    def _warn_if_batches(self, num_batches):
        """Warns where N is what `len` says of a data set of batches."""
        count = self.num_train_examples
        examples, steps = (
            int(tf.cast(x.value, tf.int64))
            for x in (self.examples_seen, self.draw_number)
        )
        if num_batches == count and examples > steps:
            warnings.warn(
                f"num_train_examples={count:,} is the number of batches in an "
                f"epoch of fit, of {examples / steps:.3g} examples each: "
                "expected that of examples. The KL counts that many times "
                "too much, and annealing goes that many times too fast.",
                stacklevel=3,
            )

    def _warn_if_annealed(self, epoch):
        end = self.annealing.start_epoch + self.annealing.num_epochs
        if epoch > end - _ROUNDING or self._has_warned:
            return
        self._has_warned = True
        warnings.warn(
            f"fit ended after {epoch:.3g} epochs, but the KL is annealed up to "
            f"epoch {end:.3g} and counted {float(self.annealing(epoch)):.2g} "
            "of its weight: the posterior is surer than the data allow. Train "
            "on, or anneal over fewer epochs (num_epochs of "
            "models.bayes_by_hypernet and bayes_by_backprop).",
            # Past Keras' and our own fit, to the line of who called.
            stacklevel=3,
        )

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

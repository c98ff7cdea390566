"""A learning rate that falls over epochs, whatever the batches."""

import keras

from bbh_tf import checks


@keras.saving.register_keras_serializable(package="bbh_tf.optimizers")
class EpochCosineDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Half a cosine, from a learning rate down to a part of it, over epochs.

    Keras' `CosineDecay` counts steps, so the number of batches must be known
    before training. This one asks the `BayesianModel` that it is compiled
    into for the passes over the training set so far, as `annealing` does.
    After `decay_epochs` the rate stays constant.

    Args:
        initial_learning_rate: at the beginning.
        decay_epochs: epochs over which it falls; may be a fraction.
        alpha: its last value, as a part of the first.

    Raises:
        ValueError: if an argument is invalid; at the first step, in
            another model than a `BayesianModel`.

    Example:

    ```python
    rate = bbh_tf.optimizers.EpochCosineDecay(1e-3, decay_epochs=50)
    model.compile(bbh_tf.optimizers.FusedAdam(rate))
    ```

    References:
        Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm
        Restarts, arXiv:1608.03983, Eq. 5, without restarts.
    """

    def __init__(self, initial_learning_rate, decay_epochs, alpha=0.01):
        super().__init__()
        checks.check_factor("initial_learning_rate", initial_learning_rate)
        checks.check_factor("decay_epochs", decay_epochs)
        if not decay_epochs:
            raise ValueError("Expected decay_epochs to be > 0; got 0.")
        if not checks.is_number(alpha) or not 0 <= alpha <= 1:
            raise ValueError(
                "EpochCosineDecay expects alpha to be a number between 0 and "
                f"1; got {alpha!r}."
            )
        self.initial_learning_rate = float(initial_learning_rate)
        self.decay_epochs = float(decay_epochs)
        self.alpha = float(alpha)
        self._cosine = keras.optimizers.schedules.CosineDecay(
            self.initial_learning_rate, self.decay_epochs, self.alpha
        )
        self._epoch = None

    def following(self, epoch):
        """Makes a copy that knows how far a training is.

        `BayesianModel.compile` does, so that a schedule may be compiled into
        several models.

        Args:
            epoch: function that returns the passes over the training set so
                far, a scalar `float32` tensor.

        Returns:
            An `EpochCosineDecay`.
        """
        copy = type(self).from_config(self.get_config())
        copy._epoch = epoch
        return copy

    def __call__(self, step):
        """Returns the learning rate.

        Args:
            step: number of the step, which does not matter.

        Returns:
            Scalar `float32` tensor.

        Raises:
            ValueError: if it is in no `BayesianModel`.
        """
        del step
        if self._epoch is None:
            raise ValueError(
                "EpochCosineDecay expects to be compiled into a BayesianModel, "
                "which counts epochs; elsewhere keras.optimizers.schedules."
                "CosineDecay counts steps."
            )
        return self._cosine(self._epoch())

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_epochs": self.decay_epochs,
            "alpha": self.alpha,
        }


def let_follow(optimizer, epoch):
    """Tells an optimiser's schedule how far a training is, if it asks.

    Args:
        optimizer: a Keras optimiser, or None.
        epoch: as `EpochCosineDecay.following` takes it.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    # As a property it is the rate of the next step.
    schedule = getattr(optimizer, "_learning_rate", None)
    if isinstance(schedule, EpochCosineDecay):
        optimizer._learning_rate = schedule.following(epoch)

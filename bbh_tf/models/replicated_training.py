"""What Keras' `fit` and `evaluate` lack under `tf.distribute`."""

import functools

import keras

from bbh_tf.models import worker_training


class ReplicatedTraining:
    """Trains over the replicas of a strategy, in one process or in several.

    A part of a Keras model, before it among its bases: a model that trains by
    `train_step` as Keras calls it. See `worker_training` for what it mends.
    """

    @functools.wraps(keras.Model.fit)
    def fit(self, *args, **kwargs):
        with worker_training.job(self):
            return super().fit(*args, **kwargs)

    def make_train_function(self, force=False):
        """Makes the moments, then what `fit` runs; see `keras.Model`.

        Raises:
            ValueError: if an optimiser other than `FusedAdam` clips gradients,
                and there are several replicas, each of which would clip its
                own; or under several workers with `jit_compile=True`.
        """
        worker_training.check(self)
        # Made within the first step they would take more memory for good. A
        # LossScaleOptimizer would make its own anew each time.
        if not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)
        if not worker_training.is_needed(self):
            return super().make_train_function(force)
        if force or self.train_function is None:
            self.train_function = worker_training.function(
                self, self.train_step
            )
        return self.train_function

    def make_test_function(self, force=False):
        """Makes what Keras' `evaluate` runs; see `keras.Model`."""
        if not worker_training.is_needed(self):
            return super().make_test_function(force)
        if force or self.test_function is None:
            self.test_function = worker_training.function(self, self.test_step)
        return self.test_function

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Keras has no public name for it. It adds up a batch's parts, which
        # TensorFlow cannot if they are of workers, or of several sizes.
        if (
            iterator is not None
            and self.distribute_strategy.num_replicas_in_sync > 1
        ):
            iterator, data_batch = (
                None,
                worker_training.local_batch(self, iterator),
            )
        super()._maybe_symbolic_build(iterator, data_batch)

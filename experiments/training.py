"""Training that stops at any moment and goes on where it was."""

import math
import time

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import workers
from experiments import building
from experiments import inputs
from experiments import run_config
from experiments import strategies
from experiments.checkpoints import Checkpoints
from experiments.errors import ExperimentError

# A checkpoint of the largest model takes seconds to write: no more than this
# share of the time goes into checkpoints.
_CHECKPOINT_SHARE = 0.1


def train(config, data, folder, progress, execution):
    """Trains a model, or goes on training it from the last step saved.

    Args:
        config: a `RunConfig`.
        data: a `bbh_tf.datasets.ImageData`.
        folder: where checkpoint and metrics are kept.
        progress: callable that is told how many epochs are done, a fraction,
            after each step.
        execution: an `Execution`.

    Returns:
        `(model, history, seconds)`: the trained model, a list of dictionaries
        of metrics, one an epoch, and the time spent in training.

    Raises:
        ExperimentError: if the loss is no finite number; the last checkpoint
            stays.
    """
    checkpoints = Checkpoints(folder)
    strategy = strategies.make(execution.strategy)
    with strategy.scope():
        model, state = checkpoints.load() or (
            building.build(config, data),
            {"step": 0, "seconds": 0.0, "history": [], "metrics": None},
        )
    _check_same_step(folder, state, strategy)
    per_epoch = run_config.steps_per_epoch(config)
    num_steps = run_config.num_steps(config)
    progress(state["step"] / per_epoch)
    if state["step"] == num_steps:
        # An older checkpoint may be without.
        building.finish(config, model, data)
        return model, state["history"], state["seconds"]
    # Keras makes the compiled metrics when it first needs them; here they need
    # to be there, to take on the values that they had.
    with strategy.scope():
        model.compute_metrics(
            None,
            data.train_labels[:1],
            np.zeros((1, data.num_classes), np.float32),
        )
    recorder = _Recorder(folder, state, num_steps, per_epoch, progress)
    saver = _Saver(state, checkpoints, execution.checkpoint_seconds, strategy)
    while state["step"] < num_steps:
        epoch, steps_done = divmod(state["step"], per_epoch)
        # A checkpoint may lie where executions of another length ended.
        rest = per_epoch - steps_done
        at_once = execution.steps_per_execution
        model.steps_per_execution = 1 if rest % at_once else at_once
        model.jit_compile = execution.jit
        model.train_function = None
        # What is left of an epoch goes first, by itself.
        model.more_fits_follow = (
            steps_done > 0 and state["step"] + rest < num_steps
        )
        model.fit(
            _batches(
                config, data, epoch, steps_done, strategy.num_replicas_in_sync
            ),
            initial_epoch=epoch,
            epochs=epoch + 1 if steps_done else config.epochs,
            steps_per_epoch=rest,
            callbacks=[recorder, saver],
            shuffle=False,
            verbose=0,
        )
    building.finish(config, model, data)
    saver.save()
    return model, state["history"], state["seconds"]


def _check_same_step(folder, state, strategy):
    steps = workers.of_all(state["step"], strategy)
    if len(set(steps)) > 1:
        raise ExperimentError(
            f"--output_dir: expected one folder that all workers see; {folder} "
            f"holds a run at the steps {sorted(set(steps))}."
        )


def _batches(config, data, first_epoch, first_step, num_replicas=1):
    """Batches in an order that depends on the seed and the epoch only.

    Of an ensemble, a batch holds one for each member, each in its own order,
    or such a batch for each replica.
    """
    parts = num_replicas if config.num_members > 1 else 1
    count = len(data.train_images)
    images = tf.constant(data.train_images)
    labels = tf.constant(data.train_labels)

    def epoch_indices(epoch):
        seed = tf.stack([tf.constant(config.seed, tf.int64), epoch])
        orders = [
            tf.random.experimental.stateless_shuffle(
                tf.range(count),
                seed=tf.random.experimental.stateless_fold_in(seed, member)
                if member
                else seed,
                alg="philox",
            )
            for member in range(config.num_members)
        ]
        return tf.data.Dataset.from_tensor_slices(
            tf.stack(orders, axis=1)
        ).batch(config.batch_size)

    def examples(step, indices):
        indices = tf.reshape(indices, (parts, -1, config.num_members))
        indices = tf.reshape(tf.transpose(indices, (0, 2, 1)), [-1])
        seen = inputs.for_training(config, tf.gather(images, indices), step)
        return seen, tf.gather(labels, indices)

    step = first_epoch * run_config.steps_per_epoch(config) + first_step
    epochs = tf.data.Dataset.range(first_epoch, config.epochs)
    return (
        epochs.flat_map(epoch_indices)
        .skip(first_step)
        .enumerate(step)
        .map(examples)
        .prefetch(2)
    )


class _Recorder(keras.callbacks.Callback):
    """Counts steps and keeps metrics; stops at a loss that is NaN."""

    def __init__(self, folder, state, num_steps, per_epoch, progress):
        super().__init__()
        self._folder = folder
        self._state = state
        self._num_steps = num_steps
        self._per_epoch = per_epoch
        self._progress = progress

    def on_epoch_begin(self, epoch, logs=None):
        self._first_step = self._state["step"]
        if self._state["metrics"] is not None:
            # In the midst of an epoch, whose means go on.
            _set_metrics(self.model, self._state["metrics"])

    def on_train_batch_end(self, batch, logs=None):
        self._state["step"] = step = self._first_step + batch + 1
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise ExperimentError(
                f"{self._folder}: the loss is {loss} at step {step}; expected "
                f"a finite number. {Checkpoints(self._folder).kept}"
            )
        self._progress(step / self._per_epoch)
        if step >= self._num_steps:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        self._state["history"].append(
            {
                "epoch": epoch + 1,
                **{
                    k: float(v)
                    for k, v in logs.items()
                    if k in run_config.METRICS
                },
            }
        )


class _Saver(keras.callbacks.Callback):
    """Writes checkpoints now and then, and counts the time.

    Of several workers the first says when, and writes.
    """

    def __init__(self, state, checkpoints, least_seconds, strategy):
        super().__init__()
        self._state = state
        self._checkpoints = checkpoints
        self._strategy = strategy
        self._wait = self._least_seconds = least_seconds
        self._saved = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        # The last batch of an epoch is saved with the epoch's metrics.
        if batch + 1 < self.params["steps"] and not self.model.stop_training:
            self._save_if_due(lambda: _get_metrics(self.model))

    def on_epoch_end(self, epoch, logs=None):
        self._state["metrics"] = None
        if not self.model.stop_training:
            self._save_if_due(lambda: None)

    def _save_if_due(self, metrics):
        is_due = time.monotonic() - self._saved >= self._wait
        if workers.of_chief(is_due, self._strategy):
            # Each worker has a part of them.
            self._state["metrics"] = metrics()
            self.save()

    def save(self):
        """Writes a checkpoint."""
        started = time.monotonic()
        self._state["seconds"] += started - self._saved
        if workers.is_chief(self._strategy):
            self._checkpoints.save(self.model, self._state)
        self._saved = time.monotonic()
        took = self._saved - started
        self._wait = max(self._least_seconds, took / _CHECKPOINT_SHARE)


def _get_metrics(model):
    return [
        np.asarray(variable).tolist()
        for metric in model.metrics
        for variable in metric.variables
    ]


def _set_metrics(model, values):
    variables = [v for metric in model.metrics for v in metric.variables]
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)

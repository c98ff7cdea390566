"""Training that stops at any moment and goes on where it was."""

import math
import time

import keras
import tensorflow as tf

from experiments import config as configs
from experiments import files
from experiments import methods
from experiments.errors import ExperimentError

# A checkpoint of the largest model takes seconds to write.
_CHECKPOINT_SECONDS = 60.0
_COLUMNS = ("loss", "nll", "kl", "kl_weight", "accuracy")


def train(config, data, folder, progress):
    """Trains a model, or goes on training it.

    Args:
        config: a `RunConfig`.
        data: a `bbh_tf.datasets.ImageData`.
        folder: where checkpoint and metrics are kept.
        progress: callable that is told of each finished epoch (a fraction,
            where an epoch is long).

    Returns:
        `(model, history, seconds)`: the trained model, a list of dictionaries
        of metrics, one an epoch, and the time spent in training.

    Raises:
        ExperimentError: if the loss is no finite number; the last checkpoint
            stays.
    """
    state = {"epoch": 0, "seconds": 0.0, "history": []}
    state_file = folder / "state.json"
    if state_file.exists():
        state = files.read_json(state_file)
        model_file = folder / state["model"]
        try:
            model = keras.models.load_model(model_file)
        except (OSError, ValueError) as error:
            raise ExperimentError(
                f"{model_file}: expected a checkpoint; "
                f"{str(error).splitlines()[0]}"
            ) from error
    else:
        model = methods.build(config, data)
    progress(state["epoch"])
    if state["epoch"] < config.epochs:
        recorder = _Recorder(config, folder, state, progress)
        model.fit(
            _batches(config, data, state["epoch"]),
            initial_epoch=state["epoch"],
            epochs=config.epochs,
            steps_per_epoch=configs.steps_per_epoch(config),
            callbacks=[recorder],
            shuffle=False,
            verbose=0,
        )
        recorder.save()
    return model, state["history"], state["seconds"]


def _batches(config, data, first_epoch):
    """Batches in an order that depends on the seed and the epoch only."""
    count = len(data.train_images)
    images = tf.constant(data.train_images)
    labels = tf.constant(data.train_labels)

    def epoch_indices(epoch):
        seed = tf.stack([tf.constant(config.seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(
            tf.range(count), seed=seed, alg="philox"
        )
        return tf.data.Dataset.from_tensor_slices(order).batch(
            config.batch_size
        )

    epochs = tf.data.Dataset.range(first_epoch, config.epochs)
    return (
        epochs.flat_map(epoch_indices)
        .map(lambda index: (tf.gather(images, index), tf.gather(labels, index)))
        .prefetch(2)
    )


class _Recorder(keras.callbacks.Callback):
    """Keeps metrics, checkpoints and time; stops at a loss that is NaN."""

    def __init__(self, config, folder, state, progress):
        super().__init__()
        self._config = config
        self._folder = folder
        self._state = state
        self._progress = progress
        self._steps = 0

    def on_train_begin(self, logs=None):
        self._started = self._saved = time.monotonic()
        self._seconds_before = self._state["seconds"]
        per_epoch = self.params["steps"]
        self._steps_per_epoch = per_epoch
        self._steps = self._state["epoch"] * per_epoch

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(float(loss)):
            raise ExperimentError(
                f"{self._folder}: the loss is {float(loss)} at step "
                f"{self._steps}; expected a finite number. The last "
                "checkpoint is kept."
            )
        self._progress(self._steps / self._steps_per_epoch)
        if self._steps == self._config.num_steps:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        now = time.monotonic()
        self._state["seconds"] = self._seconds_before + now - self._started
        self._state["epoch"] = epoch + 1
        self._state["history"].append(
            {
                "epoch": epoch + 1,
                **{k: float(v) for k, v in logs.items() if k in _COLUMNS},
            }
        )
        if now - self._saved > _CHECKPOINT_SECONDS:
            self.save()

    def save(self):
        """Writes the model, then the state that names it."""
        # Two files in turn: the state always names a whole model.
        slot = self._state["epoch"] % 2
        name = f"checkpoint_{slot}.keras"
        with files.replacing(self._folder / name) as path:
            self.model.save(path)
        self._state["model"] = name
        files.write_json(self._folder / "state.json", self._state)
        self._saved = time.monotonic()

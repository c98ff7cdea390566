"""A bar for one training, where an experiment has no bar for all of them."""

import sys

import keras

from experiments import lazy

tqdm = lazy.import_module("tqdm")

# Shorter trainings show nothing.
_SECONDS_BEFORE = 2
# Between two lines of a log; on a terminal there is one line.
_SECONDS_BETWEEN = 30


class EpochBar(keras.callbacks.Callback):
    """Shows epochs, time and losses of one training on stderr.

    Args:
        name: what is trained, in a few words.
    """

    def __init__(self, name):
        super().__init__()
        self._name = name
        self._bar = None

    def on_train_begin(self, logs=None):
        """Starts the clock."""
        self._bar = tqdm.tqdm(
            desc=self._name,
            total=self.params["epochs"],
            unit="epoch",
            leave=False,
            delay=_SECONDS_BEFORE,
            mininterval=0.2 if sys.stderr.isatty() else _SECONDS_BETWEEN,
        )

    def on_epoch_end(self, epoch, logs=None):
        """Moves the bar."""
        losses = {name: f"{value:.4g}" for name, value in (logs or {}).items()}
        self._bar.set_postfix(losses, refresh=False)
        self._bar.update()

    def on_train_end(self, logs=None):
        """Takes the bar away."""
        self._bar.close()

"""A model whose draws find their normalisation on given inputs."""

import numpy as np

from bbh_tf.models import calibration
from bbh_tf.models import calibration_inputs


class Calibrated:
    """Keeps `calibration_data` with a model, in files and in checkpoints.

    A part of a model that has a `network`, before `keras.Model` among its
    bases. It must call `make_calibration` when the network is there.
    """

    def make_calibration(self):
        """Makes room for the data; there are none at first."""
        # Tracked by its name, since `tf.train.Checkpoint` can keep it.
        self._calibration_inputs = calibration_inputs.CalibrationInputs(self)

    @property
    def calibration_data(self):
        """Inputs on which each draw finds its batch-normalisation statistics.

        An array `(examples, ...)`, a fixed part of the training set, or, for
        a network of several inputs, a structure of such; None, as at first,
        for the moving averages of training. With it, predictions run the
        network on these inputs once for each draw, and take the means and
        variances of all `keras.layers.BatchNormalization` from there. It is
        saved with the model.
        """
        return self._calibration_inputs.inputs

    @calibration_data.setter
    def calibration_data(self, inputs):
        if inputs is not None:
            found = calibration.Calibration(self.network, ())
            inputs = found.checked(calibration_inputs.NAME, inputs)
        self._calibration_inputs.inputs = inputs

    def save_own_variables(self, store):
        """Saves what the model has, and `calibration_data`."""
        super().save_own_variables(store)
        for name, array in self._calibration_inputs.arrays().items():
            store[name] = array

    def load_own_variables(self, store):
        """Loads what `save_own_variables` saved."""
        names = [
            key
            for key in store.keys()
            if key.startswith(calibration_inputs.NAME)
        ]
        others = {k: store[k] for k in store.keys() if k not in names}
        super().load_own_variables(others)
        self._calibration_inputs.take({k: np.array(store[k]) for k in names})

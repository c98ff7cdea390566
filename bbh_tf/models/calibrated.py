"""The inputs on which a model's draws find their normalisation."""

import io

import keras
import numpy as np
import tensorflow as tf

from bbh_tf.models import calibration
from bbh_tf.models import inputs_of

_NAME = "calibration_data"


class Calibrated:
    """Keeps `calibration_data` with a model, in files and in checkpoints.

    A part of a model that has a `network`, before `keras.Model` among its
    bases. It must call `make_calibration` when the network is there.
    """

    def make_calibration(self):
        """Makes room for the data; there are none at first."""
        # Tracked by its name, since `tf.train.Checkpoint` can keep it.
        self._calibration_inputs = CalibrationInputs(self)

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
            inputs = found.checked(_NAME, inputs)
        self._calibration_inputs.inputs = inputs

    def save_own_variables(self, store):
        """Saves what the model has, and `calibration_data`."""
        super().save_own_variables(store)
        for name, array in self._calibration_inputs.arrays().items():
            store[name] = array

    def load_own_variables(self, store):
        """Loads what `save_own_variables` saved."""
        names = [key for key in store.keys() if key.startswith(_NAME)]
        others = {k: store[k] for k in store.keys() if k not in names}
        super().load_own_variables(others)
        self._calibration_inputs.take({k: np.array(store[k]) for k in names})


class CalibrationInputs(tf.train.experimental.PythonState):
    """Inputs of a network, or None, which checkpoints keep.

    Args:
        model: the model, whose `network` says how its inputs are structured.

    Attributes:
        inputs: the structure of arrays, or None.
    """

    def __init__(self, model):
        # In a function, or TensorFlow would track the model as a part of this.
        self._structure = lambda: inputs_of.structure(model.network)
        self.inputs = None

    def arrays(self):
        """Returns the arrays by name; none where there are no inputs."""
        if self.inputs is None:
            return {}
        leaves = keras.tree.flatten(self.inputs)
        if len(leaves) == 1:
            return {_NAME: leaves[0]}
        return {f"{_NAME}_{index}": leaf for index, leaf in enumerate(leaves)}

    def take(self, arrays):
        """Takes what `arrays` returned."""
        if not arrays:
            self.inputs = None
            return
        leaves = [arrays[_NAME]] if len(arrays) == 1 else None
        if leaves is None:
            leaves = [arrays[f"{_NAME}_{i}"] for i in range(len(arrays))]
        structure = self._structure()
        self.inputs = keras.tree.pack_sequence_as(structure, leaves)

    def serialize(self):
        """Returns the arrays as bytes."""
        file = io.BytesIO()
        np.savez(file, **self.arrays())
        return file.getvalue()

    def deserialize(self, string_value):
        """Takes the arrays of some bytes."""
        with np.load(io.BytesIO(string_value)) as file:
            self.take(dict(file))

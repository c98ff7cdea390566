"""The inputs on which a model's draws find their normalisation."""

import io

import keras
import numpy as np
import tensorflow as tf

from bbh_tf.models import inputs_of

# In files, alone or before a number.
NAME = "calibration_data"


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
            return {NAME: leaves[0]}
        return {f"{NAME}_{index}": leaf for index, leaf in enumerate(leaves)}

    def take(self, arrays):
        """Takes what `arrays` returned."""
        if not arrays:
            self.inputs = None
            return
        leaves = [arrays[NAME]] if len(arrays) == 1 else None
        if leaves is None:
            leaves = [arrays[f"{NAME}_{i}"] for i in range(len(arrays))]
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

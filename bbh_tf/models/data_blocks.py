"""Data in blocks of batches, over which many draws pass."""

import math
import types
import warnings

import keras
import numpy as np
import tensorflow as tf

# Keras has no public name for what turns all that `fit` takes into batches.
from keras.src.trainers import data_adapters

from bbh_tf import checks
from bbh_tf.postprocessing import gathering

# Inputs are held in blocks of about this size while all draws pass over them,
# so that weights are generated once per draw and block, not once per batch.
_BLOCK_BYTES = 2**28
_BATCH_SIZE = 256


def batches(x, y=None, sample_weight=None, batch_size=None, steps=None):
    """Finds Keras' adapter of some data.

    Args:
        x: all that `keras.Model.fit` takes: arrays, structures of arrays, data
            frames, a `tf.data.Dataset`, a `keras.utils.PyDataset`, a
            generator; or another iterator of batches `(x,)`, `(x, y)`, `(x, y,
            sample_weight)`.
        y: labels, where `x` holds arrays.
        sample_weight: weights, where `x` holds arrays.
        batch_size: examples in a batch, where `x` holds arrays; None for 256.
        steps: number of batches to take; None for all.

    Returns:
        `Batches`.

    Raises:
        ValueError: if lengths differ, the data have no end and there are no
            steps, or are of no kind that Keras knows.
    """
    if batch_size is not None:
        checks.check_count("batch_size", batch_size)
    if steps is None:
        gathering.check_ends(x)
    else:
        checks.check_count("steps", steps)
    if hasattr(x, "__next__") and not isinstance(x, types.GeneratorType):
        iterator = x
        x = (batch for batch in iterator)
    if x is None or isinstance(x, _ARRAYS):
        _check_arrays(x, y, sample_weight)
        x, y = (_with_strings_as_tensors(data) for data in (x, y))
    try:
        adapter = data_adapters.get_data_adapter(
            x, y, sample_weight, batch_size=batch_size or _BATCH_SIZE
        )
    except ValueError as error:
        if "empty generator" in str(error):
            raise ValueError(_EMPTY) from error
        raise
    return Batches(adapter, steps)


# What `x` is where it holds arrays, or what is no data at all.
_ARRAYS = (np.ndarray, tf.Tensor, list, tuple, dict, int, float, str)


def _check_arrays(x, y, sample_weight):
    for name, part in (("x", x), ("y", y), ("sample_weight", sample_weight)):
        if keras.tree.is_nested(part) and any(
            leaf is not None and not np.shape(leaf)
            for leaf in keras.tree.flatten(part)
        ):
            raise ValueError(
                f"Expected arrays of examples; got a {type(part).__name__} of "
                f"single values as {name}: make arrays with np.asarray."
            )
    data = keras.tree.flatten((x, y, sample_weight))
    shapes = [tuple(np.shape(leaf)) for leaf in data if leaf is not None]
    if x is None or not keras.tree.flatten(x) or () in shapes:
        raise ValueError(
            f"Expected arrays of examples; got arrays of shapes {shapes}."
        )
    lengths = {shape[0] for shape in shapes}
    if len(lengths) != 1:
        raise ValueError(
            "Expected inputs, labels and weights of the same number of "
            f"examples; got {sorted(lengths)}."
        )


def _with_strings_as_tensors(data):
    """Returns data that Keras' adapters know: texts are tensors there."""

    def convert(leaf):
        is_text = isinstance(leaf, np.ndarray) and leaf.dtype.kind in "OSU"
        return tf.convert_to_tensor(leaf) if is_text else leaf

    if isinstance(data, (np.ndarray, list, tuple, dict)):
        return keras.tree.map_structure(convert, data)
    return data


def of_validation(epoch_iterator):
    """Returns the batches of the data that `fit` validates on.

    Args:
        epoch_iterator: Keras' own, which lives as long as `fit` runs.
    """
    adapter = epoch_iterator.data_adapter
    if epoch_iterator.steps_per_epoch is None:
        if isinstance(adapter, data_adapters.TFDatasetAdapter):
            gathering.check_ends(adapter.get_tf_dataset())
        elif isinstance(adapter, data_adapters.PyDatasetAdapter):
            gathering.check_ends(adapter.py_dataset)
    # Kept there: with steps, it goes on in the next epoch.
    if not hasattr(epoch_iterator, "batches"):
        epoch_iterator.batches = Batches(
            adapter, epoch_iterator.steps_per_epoch
        )
    return epoch_iterator.batches


_EMPTY = "Expected at least one example to predict; got none."


class Batches:
    """The batches of some data, in blocks, as often as they are asked for.

    Args:
        adapter: Keras' adapter of the data.
        steps: number of batches to take each time; None for all.
    """

    def __init__(self, adapter, steps=None):
        self._adapter = adapter
        self._steps = steps
        self._iterator = None
        self._is_used = False

    @property
    def num_batches(self):
        """Number of batches that are taken each time; None if not known."""
        return self._steps or self._adapter.num_batches

    def blocks(self):
        """Goes through the data once.

        With `steps` it goes on where it stopped the last time, as Keras does.

        Yields:
            Lists of `(x, y, sample_weight)`.

        Raises:
            ValueError: if there is no example.
        """
        block, num_bytes, empty = [], 0, True
        for batch in self._batches():
            empty = False
            batch = keras.utils.unpack_x_y_sample_weight(batch)
            block.append(batch)
            num_bytes += sum(map(_num_bytes, keras.tree.flatten(batch[0])))
            if num_bytes >= _BLOCK_BYTES:
                yield block
                block, num_bytes = [], 0
        if empty:
            raise ValueError(_EMPTY)
        if block:
            yield block

    def _batches(self):
        adapter = self._adapter
        if self._steps is None and self._is_used:
            self._warn_of_a_generator()
        self._is_used = True
        if self._iterator is None or self._steps is None:
            self._iterator = self._new_iterator()
        adapter.on_epoch_begin()
        taken = 0
        try:
            while taken != self.num_batches:
                try:
                    batch = next(self._iterator)
                except StopIteration:
                    self._iterator = None
                    break
                taken += 1
                yield batch
        finally:
            adapter.on_epoch_end()
        if self._steps is not None and taken < self._steps:
            warnings.warn(
                f"Expected {self._steps} steps of data; got {taken}.",
                stacklevel=2,
            )

    def _new_iterator(self):
        # Tensors stay what they are: ragged ones have no array.
        if isinstance(self._adapter, data_adapters.TFDatasetAdapter):
            return iter(self._adapter.get_tf_dataset())
        return iter(self._adapter.get_numpy_iterator())

    def _warn_of_a_generator(self):
        if isinstance(self._adapter, data_adapters.GeneratorDataAdapter):
            warnings.warn(
                "A generator gives its data once, and Keras keeps the first "
                "two batches: from the second epoch on these are all that is "
                "evaluated. Give arrays, a data set, or the number of steps "
                "of a generator that does not end.",
                stacklevel=2,
            )


def _num_bytes(leaf):
    if tf.is_tensor(leaf):
        if not isinstance(leaf, tf.Tensor):
            leaf = leaf.values
        return leaf.dtype.size * math.prod(leaf.shape)
    return np.asarray(leaf).nbytes


def room(out, start, shape):
    """Makes room for the draws of a block of examples, or finds it.

    Args:
        out: array `(num_samples, examples, ...)`, or None for a new one.
        start: number of the block's first example.
        shape: shape of its draws, `(num_samples, block_examples, ...)`.

    Returns:
        An array of that shape; a part of `out`, if given.

    Raises:
        ValueError: if `out` has another shape.
    """
    if out is None:
        return np.empty(shape, np.float32)
    found = out[:, start : start + shape[1]]
    if found.shape != shape:
        raise ValueError(
            f"Expected out to have room for {shape} from example {start} on; "
            f"got shape {out.shape}."
        )
    return found

"""Names, shapes, layouts and initialisers of what a posterior generates.

A sample of weights has two forms: flat, `(num_samples, num_weights)`, and as
tensors, a list of `(num_samples, *shape)`, one for each weight tensor.
"""

import dataclasses
import math
import random

import keras
import tensorflow as tf

# Standard deviation of a standard normal that is truncated at 2.
_TRUNCATED_STD = 0.87962566103423978


@dataclasses.dataclass(frozen=True)
class WeightSpec:
    """Name, shape and role of one weight tensor.

    Attributes:
        name: the variable's name, `"kernel"` say.
        shape: its shape, a tuple of integers.
        role: `"kernel"` or `"bias"`; None, at first, for a bias where there
            is one axis at most.
        output_axes: the axes along which the units or filters lie that the
            tensor serves, a tuple of integers from 0; None, at first, for the
            last. An index along them is one unit: its weights are the rest.
    """

    name: str
    shape: tuple
    role: str | None = None
    output_axes: tuple | None = None

    def __post_init__(self):
        rank = len(self.shape)
        if self.role is None:
            role = "kernel" if rank > 1 else "bias"
            object.__setattr__(self, "role", role)
        if self.output_axes is None:
            last = (rank - 1,) if rank else ()
            object.__setattr__(self, "output_axes", last)

    @property
    def size(self):
        """Number of scalars."""
        return math.prod(self.shape)

    @property
    def fan_in(self):
        """How many weights each unit or filter has; None for biases."""
        if len(self.output_axes) == len(self.shape):
            return None
        return math.prod(
            size
            for axis, size in enumerate(self.shape)
            if axis not in self.output_axes
        )


def fresh_initializer(initializer, index):
    """Copies an initialiser that is to serve more than one variable.

    Keras draws the same values for all variables of one shape that share an
    initialiser object, or a seed. The copy has a seed of its own: a random
    one where there was none, else one made from the seed and the index.

    Args:
        initializer: a Keras initialiser, or a function that serves as one.
        index: which of the variables the copy is for, an integer.

    Returns:
        An initialiser of the same kind; a function is returned as it is.
    """
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = _reseeded(initializer.get_config(), index)
    return type(initializer).from_config(config)


def fan_in_initializer(spec):
    """Returns a truncated normal of variance 1 / fan-in.

    Keras' `VarianceScaling` knows the shape alone. It takes the two biases of
    a GRU for a kernel of two inputs, and all channels for the inputs of a
    depthwise filter.

    Args:
        spec: the `WeightSpec` of a tensor; for a bias, its size stands for
            the fan-in, as in Keras for those of one axis.

    Returns:
        A Keras initialiser.
    """
    fan_in = spec.size if spec.fan_in is None else spec.fan_in
    std = math.sqrt(1.0 / max(1.0, fan_in))
    return keras.initializers.TruncatedNormal(0.0, std / _TRUNCATED_STD)


def reseed_initializers(config, index):
    """Gives the seeded initialisers in a configuration seeds of their own.

    Args:
        config: a configuration of Keras, a dictionary, or a list with some.
            What it names `..._initializer` is taken for a serialised
            initialiser.
        index: which of the copies it is for; see `fresh_initializer`.

    Returns:
        A changed copy of `config`, or `config` itself where there are none.
    """
    if isinstance(config, (list, tuple)):
        parts = [reseed_initializers(part, index) for part in config]
        is_changed = any(new is not old for new, old in zip(parts, config))
        return parts if is_changed else config
    if not isinstance(config, dict):
        return config
    changed = {}
    for name, part in config.items():
        is_own = name.endswith("_initializer") and isinstance(part, dict)
        if not is_own:
            changed[name] = reseed_initializers(part, index)
        elif isinstance(part.get("config"), dict):
            own = _reseeded(part["config"], index)
            changed[name] = (
                part if own is part["config"] else {**part, "config": own}
            )
    is_changed = any(part is not config[name] for name, part in changed.items())
    return {**config, **changed} if is_changed else config


def _reseeded(config, index):
    """Mixes an initialiser's seed, if it has one, with an index."""
    seed = config.get("seed")
    if isinstance(seed, dict):
        seed = seed["config"]["seed"]
    if seed is None:
        return config
    mixed = random.Random(f"{seed} {index}").getrandbits(31)
    return {**config, "seed": mixed}


def unflatten(flat, shapes):
    """Splits flat samples into tensors.

    Args:
        flat: tensor of shape `(num_samples, sum of sizes)`.
        shapes: shapes of the weight tensors, a list of tuples.

    Returns:
        List of tensors of shape `(num_samples, *shape)`.
    """
    num_samples = flat.shape[0]
    sizes = [math.prod(shape) for shape in shapes]
    return [
        tf.reshape(part, (num_samples, *shape))
        for part, shape in zip(tf.split(flat, sizes, axis=1), shapes)
    ]


def flatten(tensors):
    """Joins tensors of shape `(num_samples, *shape)` into flat samples."""
    num_samples = tensors[0].shape[0]
    return tf.concat(
        [tf.reshape(tensor, (num_samples, -1)) for tensor in tensors], axis=1
    )


def join_output_slices(slices):
    """Lays slices along the last axis of a tensor, flattened.

    Args:
        slices: tensor of shape `(num_samples, num_slices, slice_size)`; slice
            `c` holds `weights[..., c]` in row-major order.

    Returns:
        Tensor of shape `(num_samples, num_slices * slice_size)`: the weights
        in row-major order.
    """
    num_samples = slices.shape[0]
    return tf.reshape(tf.transpose(slices, (0, 2, 1)), (num_samples, -1))


def join_chunks(chunks, num_weights):
    """Lays contiguous runs of the flat weights end to end.

    Args:
        chunks: tensor of shape `(num_samples, num_chunks, chunk_size)`.
        num_weights: number of weights; what the last chunk holds beyond them
            is dropped.

    Returns:
        Tensor of shape `(num_samples, num_weights)`.
    """
    flat = tf.reshape(chunks, (chunks.shape[0], -1))
    return flat if flat.shape[1] == num_weights else flat[:, :num_weights]


def to_kernel_slices(kernels):
    """Lays out kernels of 2-D convolutions as slices.

    Args:
        kernels: tensor of shape `(num_samples, height, width, inputs,
            outputs)`.

    Returns:
        Tensor of shape `(num_samples, inputs * outputs, height, width)`: a
        slice for each pair of an input and an output channel, outputs fastest.
    """
    num_samples, height, width = kernels.shape[:3]
    moved = tf.transpose(kernels, (0, 3, 4, 1, 2))
    return tf.reshape(moved, (num_samples, -1, height, width))


def from_kernel_slices(slices, shape):
    """Turns `to_kernel_slices` back.

    Args:
        slices: tensor of shape `(num_samples, inputs * outputs, height,
            width)`.
        shape: `(height, width, inputs, outputs)`.

    Returns:
        Tensor of shape `(num_samples, *shape)`.
    """
    height, width, inputs, outputs = shape
    apart = tf.reshape(slices, (-1, inputs, outputs, height, width))
    return tf.transpose(apart, (0, 3, 4, 1, 2))

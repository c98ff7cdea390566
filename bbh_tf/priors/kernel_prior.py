"""What priors over the slices of convolution kernels have in common."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checkpointing
from bbh_tf import checks
from bbh_tf import randomness
from bbh_tf import weights
from bbh_tf.priors import adapter
from bbh_tf.priors import prior


class KernelPrior(prior.Prior, checkpointing.Checkpointed, keras.layers.Layer):
    """Base of priors over kernels of 2-D convolutions, slice by slice.

    A slice is the `(height, width)` kernel between one input channel and one
    output channel. Slices are independent and identically distributed; the
    pixels within a slice are dependent. A layer's biases, if its posterior is
    over them too, have a separate prior.

    A subclass has `slice_log_prob` and `sample_slices`. What was fitted or
    learnt is in files and in layers' copies; a copy made from the
    configuration alone, as `keras.models.clone_model` makes it, has new
    parameters, here as everywhere in Keras.

    Args:
        kernel_size: height and width, an integer or two.
        others: prior of everything but kernels, without variables; None for
            N(0, 1).
        num_slices: how many slices a `log_prob` looks at, chosen at random,
            new ones for each key; their mean stands for all, so that the value
            and its gradient are unbiased. None, or more than the layer has, for
            all.
        name: name of the layer.

    Raises:
        ValueError: if an argument is invalid.

    References:
        Atanov et al., The Deep Weight Prior, arXiv:1810.06943, Eq. 5.
    """

    def __init__(self, kernel_size, others=None, num_slices=None, name=None):
        super().__init__(name=name, dtype="float32")
        if checks.is_count(kernel_size):
            kernel_size = (kernel_size, kernel_size)
        if not (
            isinstance(kernel_size, (list, tuple))
            and len(kernel_size) == 2
            and all(checks.is_count(size) for size in kernel_size)
        ):
            raise ValueError(
                "Expected kernel_size to be a positive integer, or two; got "
                f"{kernel_size!r}."
            )
        self.kernel_size = tuple(int(size) for size in kernel_size)
        self.others = adapter.get(others)
        if isinstance(self.others, keras.layers.Layer):
            raise ValueError(
                f"{type(self).__name__} expects others to be a prior without "
                f"variables; got {type(self.others).__name__}."
            )
        if num_slices is not None:
            checks.check_count("num_slices", num_slices)
            num_slices = int(num_slices)
        self.num_slices = num_slices

    def slice_log_prob(self, slices, key):
        """Computes log-densities of slices, or lower bounds on them.

        Args:
            slices: `float32` tensor `(count, height, width)`.
            key: a key of `bbh_tf.randomness`.

        Returns:
            `float32` tensor `(count,)`, nats.
        """
        raise NotImplementedError

    def sample_slices(self, num_samples, count, key):
        """Draws slices.

        Args:
            num_samples: number of samples, a Python integer.
            count: number of slices in a sample.
            key: a key of `bbh_tf.randomness`.

        Returns:
            `float32` tensor `(num_samples, count, height, width)`.
        """
        raise NotImplementedError

    def for_layer(self, specs):
        """Returns a copy for a layer; see `Prior.for_layer`.

        Raises:
            ValueError: if it has no kernels, or some of another size.
        """
        self._check_specs(specs)
        return super().for_layer(specs)

    def can_be_sampled(self):
        """Whether the slices and the rest can be."""
        return super().can_be_sampled() and self.others.can_be_sampled()

    def has_log_prob(self, specs):
        """Whether the slices and the rest have one, for such specs."""
        rest = [spec for spec in specs if not self._is_kernel(spec)]
        is_whole = not rest or self.others.has_log_prob(rest)
        return super().has_log_prob(specs) and is_whole

    def build(self, specs=None):
        """Makes the variables: here, none."""
        del specs
        self.built = True

    def log_prob(self, samples, specs, key):
        """Adds up the slices' log-densities; see `Prior.log_prob`."""
        is_kernel = [self._is_kernel(spec) for spec in specs]
        slices = tf.concat(
            [
                weights.to_kernel_slices(tensor)
                for tensor, chosen in zip(samples, is_kernel)
                if chosen
            ],
            axis=1,
        )
        num_samples, total = slices.shape[:2]
        if self.num_slices is not None and self.num_slices < total:
            # The largest of random numbers: each set is as likely as any.
            noise = randomness.normal(randomness.fold(key, 0), 1, (total,))
            chosen = tf.math.top_k(noise[0], self.num_slices).indices
            slices = tf.gather(slices, chosen, axis=1)
        found = slices.shape[1]
        each = self.slice_log_prob(
            tf.reshape(slices, (num_samples * found, *self.kernel_size)),
            randomness.fold(key, 1),
        )
        summed = tf.reduce_sum(tf.reshape(each, (num_samples, found)), axis=1)
        result = total / found * summed
        rest = [
            (tensor, spec)
            for tensor, spec, chosen in zip(samples, specs, is_kernel)
            if not chosen
        ]
        if rest:
            tensors, rest_specs = map(list, zip(*rest))
            result += self.others.log_prob(
                tensors, rest_specs, randomness.fold(key, 2)
            )
        return result

    def sample(self, num_samples, specs, key):
        """Draws samples; see `Prior.sample`."""
        kernels = [spec for spec in specs if self._is_kernel(spec)]
        counts = [spec.shape[2] * spec.shape[3] for spec in kernels]
        slices = self.sample_slices(
            num_samples, sum(counts), randomness.fold(key, 0)
        )
        parts = iter(tf.split(slices, counts, axis=1))
        rest = [spec for spec in specs if not self._is_kernel(spec)]
        others = iter(
            self.others.sample(num_samples, rest, randomness.fold(key, 1))
            if rest
            else []
        )
        return [
            weights.from_kernel_slices(next(parts), spec.shape)
            if self._is_kernel(spec)
            else next(others)
            for spec in specs
        ]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "kernel_size": self.kernel_size,
            "others": keras.saving.serialize_keras_object(self.others),
            "num_slices": self.num_slices,
        }

    def _is_kernel(self, spec):
        is_kernel = spec.role == "kernel" and len(spec.shape) == 4
        return is_kernel and tuple(spec.shape[:2]) == self.kernel_size

    def _check_specs(self, specs):
        wrong = [
            spec
            for spec in specs
            if spec.role == "kernel" and not self._is_kernel(spec)
        ]
        if wrong or not any(self._is_kernel(spec) for spec in specs):
            size = " x ".join(map(str, self.kernel_size))
            found = ", ".join(f"{s.name} {s.shape}" for s in wrong or specs)
            raise ValueError(
                f"{type(self).__name__} is a prior of {size} kernels of 2-D "
                f"convolutions; got {found}. Name the layers that have such "
                'kernels, and no others: bayesify(..., prior={"conv1": ...}).'
            )


def check_slices(kernels, kernel_size):
    """Refuses what is no finite array of slices.

    Args:
        kernels: what was given.
        kernel_size: height and width.

    Returns:
        `float32` array `(count, height, width)`.

    Raises:
        ValueError: saying what was expected and what came.
    """
    height, width = kernel_size
    try:
        kernels = np.asarray(kernels, np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Expected kernels (count, {height}, {width}); got a "
            f"{type(kernels).__name__} of which no such array can be made."
        ) from error
    if kernels.ndim != 3 or kernels.shape[1:] != (height, width):
        raise ValueError(
            f"Expected kernels (count, {height}, {width}); got shape "
            f"{kernels.shape}."
        )
    if not len(kernels) or not np.isfinite(kernels).all():
        raise ValueError(
            "Expected finite kernels, at least one; got "
            f"{len(kernels)}, with {np.sum(~np.isfinite(kernels))} numbers "
            "that are not finite."
        )
    return kernels

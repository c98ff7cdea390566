"""Bayesian hypernetworks: a flow over the scales of weight normalisation."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import weights
from bbh_tf.posteriors import flow
from bbh_tf.posteriors import posterior
from bbh_tf.posteriors import starts

# Under squared lengths: weights that are all 0 stay 0.
_TINY = 1e-12


@keras.saving.register_keras_serializable(package="bbh_tf.posteriors")
class WeightNormFlow(flow.Flow):
    """Distribution over the scales g of weight-normalised kernels.

    The weights of output unit (or filter) j are

        w_j = g_j v_j / |v_j|,   g = g_0 + h(e),   e ~ N(0, 1),

    with a flow h over all scales of the layer or, as in the paper, of the
    network (`bayesify(..., scope="network")`). v and the biases are point
    estimates. KL and prior are over g; the prior is for example
    N(0, 1 / precision) or Laplace. Without couplings it is Bayes by Backprop
    on g.

    Args:
        flow: recipe of h, a `bbh_tf.flows.Flow` without masks; None for
            `bbh_tf.flows.real_nvp()`.
        initial_scale: `g_0` of all units, where training begins; with
            `start="pretrained"` it is |w_j|.
        mean_initializer: initialiser of v; None for a truncated normal of
            variance 1 / fan-in.
        name: name of the layer.

    Raises:
        ValueError: if an argument is invalid.

    Example:

    ```python
    bbh_tf.models.BayesianModel(
        bbh_tf.models.bayesify(
            network, bbh_tf.posteriors.WeightNormFlow(), scope="network"
        ),
        num_train_examples=60_000,
        divergence=bbh_tf.divergences.MonteCarloKL(),
        num_samples=1,
    )
    ```

    References:
        Krueger et al., Bayesian Hypernetworks, arXiv:1710.04759; Salimans
        and Kingma, Weight Normalization, arXiv:1602.07868.
    """

    def __init__(
        self, flow=None, initial_scale=1.0, mean_initializer=None, name=None
    ):
        super().__init__(flow, mean_initializer, name)
        if not checks.is_number(initial_scale):
            raise ValueError(
                "WeightNormFlow expects a finite initial_scale; got "
                f"{initial_scale!r}."
            )
        self.initial_scale = float(initial_scale)

    def replaces(self, spec):
        """Takes kernels; biases stay as they are."""
        return spec.role == "kernel"

    def random_specs(self, specs):
        """Describes the scales, one for each output unit of a kernel."""
        return [
            weights.WeightSpec(
                f"scales of {spec.name}",
                tuple(spec.shape[axis] for axis in spec.output_axes),
            )
            for spec in specs
        ]

    def _make_starts(self):
        self._directions = [
            self.add_weight(
                name=f"{spec.name}_direction_{index}",
                shape=spec.shape,
                initializer=posterior.mean_initializer(
                    self.mean_initializer, index, spec
                ),
                autocast=False,
            )
            for index, spec in enumerate(self._specs)
        ]
        return [
            self.add_weight(
                name=f"{spec.name}_start_{index}",
                shape=spec.shape,
                initializer=keras.initializers.Constant(self.initial_scale),
                trainable=False,
                autocast=False,
            )
            for index, spec in enumerate(self._random_specs)
        ]

    def count_parameters(self, specs):
        """Counts the parameters of the flow, and v."""
        return super().count_parameters(specs) + sum(x.size for x in specs)

    def weights_of(self, samples):
        """Scales the directions; see `Posterior.weights_of`."""
        self.check_built()
        return [
            _scaled(tf.convert_to_tensor(v), g, spec)
            for spec, v, g in zip(self._specs, self._directions, samples)
        ]

    def start_at(self, values, relative_std):
        """Puts q around weights: v = w, g = |w|; see `Posterior.start_at`.

        The standard deviation of a scale is a part of the root mean square of
        its kernel's scales.
        """
        self.check_built()
        values = starts.arrays(values, self._specs)
        scales = [
            np.sqrt(np.sum(np.square(value), axis=_summed(spec)))
            for value, spec in zip(values, self._specs)
        ]
        for direction, value in zip(self._directions, values):
            direction.assign(value)
        self._start_at(scales, relative_std)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "initial_scale": self.initial_scale}


def _scaled(direction, scales, spec):
    def scaled(direction, scales):
        # Scales of scales, so that the kernel is passed over twice and not
        # once more for directions of length 1.
        squares = tf.reduce_sum(
            tf.square(direction), axis=_summed(spec), keepdims=True
        )
        factors = tf.reshape(scales, (scales.shape[0], *_beside(spec)))
        return factors * tf.math.rsqrt(tf.maximum(squares, _TINY)) * direction

    # One pass over the kernel, not one for each operation. Called eagerly, it
    # would be compiled anew each time.
    if not tf.executing_eagerly():
        scaled = tf.function(scaled, jit_compile=True, autograph=False)
    return scaled(direction, scales)


def _summed(spec):
    """The axes over which a unit's weights lie."""
    return tuple(
        axis for axis in range(len(spec.shape)) if axis not in spec.output_axes
    )


def _beside(spec):
    """The shape of scales that stand beside a kernel."""
    return tuple(
        size if axis in spec.output_axes else 1
        for axis, size in enumerate(spec.shape)
    )

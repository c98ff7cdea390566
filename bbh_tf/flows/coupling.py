"""The coupling layer of RealNVP."""

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf.flows import flow
from bbh_tf.flows import flow_dense
from bbh_tf.flows import halves
from bbh_tf.flows import scales


@keras.saving.register_keras_serializable(package="bbh_tf.flows")
class Coupling(flow.Flow):
    """Keeps the first half of a vector, and transforms the second by it.

        h        = network(z_a)
        m, a     = two linear maps of h
        s        = max_log_scale tanh(a / max_log_scale)
        (z_a, z_b) -> (z_a, (exp(s) + min_scale) z_b + m)

    The bound on s keeps a stack of couplings finite: with the authors' form
    (None, s = a) one extreme draw in many thousands becomes infinite, as each
    coupling's exponential feeds the next. Near the identity the two agree. The
    linear maps start near zero, so the coupling starts near the identity. With
    an odd number of elements the second half has one more; with a single one
    the map is affine. Put a `Permutation` after it, or the first half never
    changes.

    Args:
        network: recipe of a Keras layer or model from vectors `(batch,
            dim // 2)` to features `(batch, any)`, copied and built by the
            coupling; None for rectified dense layers. It must treat
            examples one by one, and in one way: no normalisation over
            batches, no dropout.
        units: widths of the dense layers, where `network` is None.
        weight_norm: whether the dense layers that the coupling makes, the
            linear maps included, are weight-normalised (the authors' choice
            for convolutional networks).
        initial_std: standard deviation of the linear maps' initial kernels.
        min_scale: added to each scale.
        max_log_scale: bound of |s|, above 0; None for the authors' form,
            without one.
        name: name of the layer.

    Raises:
        ValueError: if an argument is invalid.

    References:
        Dinh et al., Density Estimation using Real NVP, arXiv:1605.08803, Eq.
        7 and 8; Krueger et al., Bayesian Hypernetworks, arXiv:1710.04759.
    """

    def __init__(
        self,
        network=None,
        units=(200,),
        weight_norm=False,
        initial_std=1e-4,
        min_scale=1e-3,
        max_log_scale=scales.MAX_LOG_SCALE,
        name=None,
    ):
        super().__init__(name=name)
        if isinstance(network, dict):
            network = keras.saving.deserialize_keras_object(network)
        if network is not None and not isinstance(network, keras.layers.Layer):
            raise ValueError(
                "Coupling expects network to be a Keras layer or model; got "
                f"{network!r}."
            )
        self.units = checks.counts("units", units)
        checks.check_factor("initial_std", initial_std)
        checks.check_factor("min_scale", min_scale)
        # Only its configuration is kept: a layer held here would be taken for
        # a part of the flow.
        self._network_config = (
            None
            if network is None
            else keras.saving.serialize_keras_object(network)
        )
        self.weight_norm = checks.flag("weight_norm", weight_norm)
        self.initial_std = float(initial_std)
        self.min_scale = float(min_scale)
        self.max_log_scale = scales.check_bound(max_log_scale)

    def build(self, dim):
        """Makes the networks; see `Flow.build`."""
        super().build(dim)
        kept = dim // 2
        self._hidden = self._new_hidden()
        width = kept
        for layer in self._hidden:
            if isinstance(layer, flow_dense.FlowDense):
                layer.build(width)
                width = layer.units
            else:
                if not layer.built:
                    layer.build((None, kept))
                width = _width_of(layer, kept)
        self._linear = flow_dense.FlowDense(
            2 * (dim - kept), self.weight_norm, self.initial_std
        )
        self._linear.build(width)

    def _new_hidden(self):
        if self._network_config is None:
            return [
                flow_dense.FlowDense(units, self.weight_norm, None, relu=True)
                for units in self.units
            ]
        network = keras.saving.deserialize_keras_object(self._network_config)
        for layer in network._flatten_layers():
            layer.dtype_policy = keras.DTypePolicy("float32")
        return [network]

    def count_parameters(self, dim):
        """Counts the parameters; see `Flow.count_parameters`."""
        kept = dim // 2
        moved = 2 * (dim - kept)
        if self._network_config is not None:
            (network,) = self._new_hidden()
            if not network.built:
                network.build((None, kept))
            width, count = _width_of(network, kept), network.count_params()
        else:
            width, count = kept, 0
            for units in self.units:
                count += flow_dense.count_parameters(
                    width, units, self.weight_norm
                )
                width = units
        return count + flow_dense.count_parameters(
            width, moved, self.weight_norm
        )

    def call(self, z):
        """Maps forward; see `Flow.call`."""
        kept, moved = self._split(z)
        shift, scale = self._shift_and_scale(kept)
        log_det = tf.reduce_sum(tf.math.log(scale), axis=-1)
        return halves.join(kept, scale * moved + shift), log_det

    def inverse(self, mapped):
        """Maps back; see `Flow.inverse`."""
        self.check_vectors(mapped)
        kept, moved = self._split(mapped)
        shift, scale = self._shift_and_scale(kept)
        log_det = tf.reduce_sum(tf.math.log(scale), axis=-1)
        return halves.join(kept, (moved - shift) / scale), -log_det

    def _split(self, z):
        return halves.cut(z, z.shape[-1] // 2)

    def _shift_and_scale(self, kept):
        # Networks of any kind take vectors in one row.
        shape = tf.shape(kept)[:-1]
        hidden = tf.reshape(kept, (-1, kept.shape[-1]))
        if not kept.shape[-1]:
            hidden = tf.zeros((tf.reduce_prod(shape), 0))
        for layer in self._hidden:
            hidden = layer(hidden)
        both = self._linear(hidden)
        both = tf.reshape(both, tf.concat([shape, [both.shape[-1]]], axis=0))
        shift, log_scale = halves.cut(both, both.shape[-1] // 2)
        return shift, scales.positive(
            log_scale, self.max_log_scale, self.min_scale
        )

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "network": self._network_config,
            "units": list(self.units),
            "weight_norm": self.weight_norm,
            "initial_std": self.initial_std,
            "min_scale": self.min_scale,
            "max_log_scale": self.max_log_scale,
            "name": self.name,
        }


def _width_of(network, kept):
    shape = tuple(network.compute_output_shape((None, kept)))
    if len(shape) != 2 or shape[1] is None:
        raise ValueError(
            "Coupling expects a network from (batch, "
            f"{kept}) to (batch, features); it returns {shape}."
        )
    return shape[1]

"""The flow of multiplicative normalizing flows."""

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf.flows import flow

# The gates start nearly open, at sigmoid(2) = 0.88: the map near the identity.
_INITIAL_GATE = 2.0


@keras.saving.register_keras_serializable(package="bbh_tf.flows")
class MaskedRealNVP(flow.Flow):
    """RealNVP whose halves are chosen by masks: MNF's flow.

    A step keeps the elements where its mask `m` is 1 and moves the others
    between where they are and a shift `t`, by a gate `g`:

        h  = tanh(A (m z) + a)
        t  = B h + b,   g = sigmoid(C h + c)
        z' = m z + (1 - m) (g z + (1 - g) t)
        log |det dz'/dz| = sum of (1 - m) log g

    Masks are drawn anew for each use of the flow, each element 0 or 1 with
    probability 1/2, by whoever uses it. Of a single element no step makes
    more than an affine map.

    Args:
        num_flows: number of steps; with 0 of them the map is the identity.
        units: width of the hidden layer of a step, `h`.
        name: name of the layer.

    Raises:
        ValueError: if an argument is invalid.

    References:
        Louizos and Welling, Multiplicative Normalizing Flows for Variational
        Bayesian Neural Networks, arXiv:1703.01961, Sec. 3; Dinh et al.,
        Density Estimation using Real NVP, arXiv:1605.08803.
    """

    takes_masks = True

    def __init__(self, num_flows=2, units=50, name=None):
        super().__init__(name=name)
        checks.check_count("num_flows", num_flows, fewest=0)
        checks.check_count("units", units)
        self.num_flows = int(num_flows)
        self.units = int(units)

    def build(self, dim):
        """Makes the parameters; see `Flow.build`."""
        super().build(dim)
        self._steps = [self._add_step(i, dim) for i in range(self.num_flows)]

    def _add_step(self, index, dim):
        def add(name, inputs, outputs, bias):
            return [
                self.add_weight(
                    name=f"{name}_{part}_{index}",
                    shape=shape,
                    initializer=initializer,
                    autocast=False,
                )
                for part, shape, initializer in (
                    (
                        "kernel",
                        (inputs, outputs),
                        keras.initializers.VarianceScaling(),
                    ),
                    ("bias", (outputs,), keras.initializers.Constant(bias)),
                )
            ]

        return [
            *add("hidden", dim, self.units, 0.0),
            *add("shift", self.units, dim, 0.0),
            *add("gate", self.units, dim, _INITIAL_GATE),
        ]

    def count_parameters(self, dim):
        """Counts three dense layers a step."""
        hidden = (dim + 1) * self.units
        return self.num_flows * (hidden + 2 * (self.units + 1) * dim)

    def forward(self, z, masks):
        """Maps forward; see `call`."""
        return self(z, masks)

    def call(self, z, masks):
        """Maps forward; see `Flow.call`.

        Args:
            z: `float32` tensor of shape `(..., dim)`, of two axes or more.
            masks: tensor of zeros and ones, `(..., num_flows, dim)`.
        """
        log_det = tf.zeros(tf.shape(z)[:-1])
        for index in range(self.num_flows):
            mask = masks[..., index, :]
            shift, logit = self._shift_and_logit(index, mask * z)
            gate = tf.sigmoid(logit)
            moved = gate * z + (1.0 - gate) * shift
            z = mask * z + (1.0 - mask) * moved
            log_det += _log_gates(mask, logit)
        return z, log_det

    def inverse(self, mapped, masks):
        """Maps back; see `Flow.inverse`."""
        self.check_vectors(mapped)
        log_det = tf.zeros(tf.shape(mapped)[:-1])
        for index in reversed(range(self.num_flows)):
            mask = masks[..., index, :]
            # What is kept alone decides, and is the same on both sides.
            shift, logit = self._shift_and_logit(index, mask * mapped)
            moved_back = shift + (mapped - shift) * (1.0 + tf.exp(-logit))
            mapped = mask * mapped + (1.0 - mask) * moved_back
            log_det -= _log_gates(mask, logit)
        return mapped, log_det

    def _shift_and_logit(self, index, kept):
        kernel, bias, to_shift, shift, to_gate, gate = self._steps[index]
        hidden = tf.tanh(tf.matmul(kept, kernel) + bias)
        return (
            tf.matmul(hidden, to_shift) + shift,
            tf.matmul(hidden, to_gate) + gate,
        )

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "num_flows": self.num_flows,
            "units": self.units,
            "name": self.name,
        }


def _log_gates(mask, logit):
    return tf.reduce_sum((1.0 - mask) * tf.math.log_sigmoid(logit), axis=-1)

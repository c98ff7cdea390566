"""The auxiliary distribution of multiplicative normalizing flows."""

import keras
import tensorflow as tf

from bbh_tf import checkpointing
from bbh_tf import flows
from bbh_tf import normal
from bbh_tf import weights
from bbh_tf.layers import output_sampling

_INITIAL_SPREAD = 0.05


class MNFAuxiliary(checkpointing.Checkpointed, keras.layers.Layer):
    """r(z | W): what the weights tell of the factors that multiply them.

    With three vectors `c`, `b1`, `b2` of the dimension of z, and the weights
    as a matrix of a row for each element of z,

        a = mean of activation(c . W) over the columns
        r(z | W) = N(flow(z); b1 a, exp(-b2 a)) |det dflow/dz|

    Args:
        activation: callable, `tf.tanh` or the identity.
        num_flows: steps of the flow.
        flow_units: width of the hidden layer of a step.
        name: name of the layer.

    References:
        Louizos and Welling, Multiplicative Normalizing Flows for Variational
        Bayesian Neural Networks, arXiv:1703.01961, Sec. 3.
    """

    def __init__(self, activation, num_flows, flow_units, name=None):
        super().__init__(name=name, dtype="float32")
        self._activation = activation
        self.flow = flows.MaskedRealNVP(num_flows, flow_units, name="flow")

    def build(self, dim):
        """Makes the parameters.

        Args:
            dim: dimension of z.
        """
        self._dim = dim
        self._projection, self._mean, self._log_precision = (
            self.add_weight(
                name=name,
                shape=(dim,),
                initializer=keras.initializers.TruncatedNormal(
                    0.0, _INITIAL_SPREAD
                ),
                autocast=False,
            )
            for name in ("projection", "mean", "log_precision")
        )
        self.flow.build(dim)

    def noise_size(self, num_columns):
        """Returns how much noise a sample needs, for so many columns."""
        return self.flow.num_flows * self._dim + num_columns

    def log_prob(self, z, means, variances, noise):
        """Estimates E[log r(z | W)] over W given z, from one W.

        Args:
            z: `float32` tensor of shape `(n, dim)`.
            means: list of matrices `(dim, columns)`: W is normal around their
                rows times z. What is made of a matrix of one column is added
                to each column of the others.
            variances: list of the variances of W, likewise.
            noise: standard normal tensor `(n, noise_size(num_columns))`, with
                the columns of all matrices.

        Returns:
            Tensor of shape `(n,)`, nats.
        """
        masks, *noise = weights.unflatten(
            noise,
            [
                (self.flow.num_flows, self._dim),
                *((matrix.shape[1],) for matrix in means),
            ],
        )
        # Sums of normal weights are normal: no weight need be drawn.
        projected = sum(
            tf.matmul(self._projection * z, mean)
            + epsilon
            * output_sampling.safe_sqrt(
                tf.linalg.matvec(
                    variance, tf.square(self._projection), transpose_a=True
                )
            )
            for mean, variance, epsilon in zip(means, variances, noise)
        )
        seen = tf.reduce_mean(
            self._activation(projected), axis=1, keepdims=True
        )
        mapped, log_det = self.flow(z, masks_of(masks))
        log_precision = self._log_precision * seen
        squares = tf.square(mapped - self._mean * seen)
        return log_det + normal.log_prob(
            tf.exp(log_precision) * squares, -log_precision
        )

    def get_build_config(self):
        """Returns None: the layer that owns it builds it."""
        return None


def masks_of(noise):
    """Turns normal noise into masks of a flow, each element 0 or 1."""
    return tf.cast(noise > 0.0, tf.float32)

"""The inverse autoregressive flow, by a masked network."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import randomness
from bbh_tf.flows import flow
from bbh_tf.flows import flow_dense
from bbh_tf.flows import halves
from bbh_tf.flows import permutation
from bbh_tf.flows import scales


@keras.saving.register_keras_serializable(package="bbh_tf.flows")
class InverseAutoregressive(flow.Flow):
    """Transforms each element by those before it (IAF).

        s_i = max_log_scale tanh(a_i(z_<i) / max_log_scale)
        x_i = m_i(z_<i) + (exp(s_i) + min_scale) z_i

    The bound on s keeps extreme draws finite, as in `Coupling`. One masked
    network (MADE) gives all m and a at once, so the forward map is one pass.
    The inverse would need one pass for each element, and is refused.

    Args:
        units: widths of the rectified hidden layers.
        ordering: `"random"`: which elements come before which, and what each
            hidden unit may see, is drawn from the seed, as in the authors'
            code; or a list of integers, the place of each element in the
            order, hidden units taking turns; None for the natural order.
        seed: seed of a random ordering; None for a random one. Weights hold
            the ordering itself.
        weight_norm: whether its layers are weight-normalised, as in the
            authors' code.
        initial_std: standard deviation of the last layer's initial kernel.
        min_scale: added to each scale.
        max_log_scale: bound of |s|, above 0; None for the authors' form,
            without one.
        name: name of the layer.

    Raises:
        ValueError: if an argument is invalid.

    References:
        Kingma et al., Improving Variational Inference with Inverse
        Autoregressive Flow, arXiv:1606.04934; Germain et al., MADE,
        arXiv:1502.03509; Krueger et al., arXiv:1710.04759.
    """

    has_inverse = False

    def __init__(
        self,
        units=(200,),
        ordering="random",
        seed=None,
        weight_norm=True,
        initial_std=1e-4,
        min_scale=1e-3,
        max_log_scale=scales.MAX_LOG_SCALE,
        name=None,
    ):
        super().__init__(name=name)
        self.units = checks.counts("units", units)
        if isinstance(ordering, str):
            if ordering != "random":
                raise ValueError(
                    'InverseAutoregressive expects ordering to be "random", '
                    f"a list of places or None; got {ordering!r}."
                )
        elif ordering is not None:
            ordering = permutation.check_order("ordering", ordering)
        checks.check_factor("initial_std", initial_std)
        checks.check_factor("min_scale", min_scale)
        self.ordering = ordering
        self.seed = randomness.seed_or_random(seed)
        self.weight_norm = checks.flag("weight_norm", weight_norm)
        self.initial_std = float(initial_std)
        self.min_scale = float(min_scale)
        self.max_log_scale = scales.check_bound(max_log_scale)

    def build(self, dim):
        """Makes the masked network; see `Flow.build`.

        Raises:
            ValueError: if a given ordering is of another dimension.
        """
        super().build(dim)
        self._places = [
            self._add_places(f"places_{index}", degrees)
            for index, degrees in enumerate(self._degrees(dim))
        ]
        self._layers_in_turn = []
        widths = self._widths(dim)
        for index, (inputs, units) in enumerate(zip(widths, widths[1:])):
            is_last = index == len(self.units)
            layer = flow_dense.FlowDense(
                units,
                self.weight_norm,
                self.initial_std if is_last else None,
                relu=not is_last,
            )
            layer.build(inputs)
            self._layers_in_turn.append(layer)

    def _degrees(self, dim):
        """Returns the place of each element, then what hidden units see."""
        is_random = self.ordering == "random"
        generator = np.random.RandomState(self.seed % 2**32)
        if is_random:
            order = generator.permutation(dim)
        elif self.ordering is None:
            order = np.arange(dim)
        else:
            order = np.array(self.ordering)
            if len(order) != dim:
                raise ValueError(
                    f"Expected vectors of dimension {len(order)}, as the "
                    f"ordering is; got {dim}."
                )
        most = max(dim - 1, 1)
        degrees = [order + 1]
        for units in self.units:
            fewest = min(int(degrees[-1].min()), most)
            if is_random:
                degrees.append(generator.randint(fewest, most + 1, units))
            else:
                degrees.append(fewest + np.arange(units) % (most - fewest + 1))
        return degrees

    def _connections(self):
        """Returns masks of the layers in turn, of zeros and ones."""
        first, *others = map(tf.convert_to_tensor, self._places)
        masks, before = [], first
        for after in others:
            masks.append(after >= before[:, None])
            before = after
        # Strictly before, for shifts and for scales.
        masks.append(tf.tile(first > before[:, None], (1, 2)))
        return [tf.cast(mask, tf.float32) for mask in masks]

    def _widths(self, dim):
        return [dim, *self.units, 2 * dim]

    def count_parameters(self, dim):
        """Counts the parameters, those behind the masks too."""
        widths = self._widths(dim)
        return sum(
            flow_dense.count_parameters(inputs, units, self.weight_norm)
            for inputs, units in zip(widths, widths[1:])
        )

    def call(self, z):
        """Maps forward; see `Flow.call`."""
        shape = tf.shape(z)
        hidden = tf.reshape(z, (-1, z.shape[-1]))
        for layer, mask in zip(self._layers_in_turn, self._connections()):
            hidden = layer(hidden, mask)
        shift, log_scale = (
            tf.reshape(half, shape) for half in halves.cut(hidden, z.shape[-1])
        )
        scale = scales.positive(log_scale, self.max_log_scale, self.min_scale)
        log_det = tf.reduce_sum(tf.math.log(scale), axis=-1)
        return scale * z + shift, log_det

    def inverse(self, mapped):
        """Refuses: it would take one pass for each element.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "InverseAutoregressive has no inverse in one pass: expected a "
            "flow of Coupling, ElementwiseAffine and Permutation where the "
            f"density of given values is asked for; got {type(self).__name__}."
        )

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "units": list(self.units),
            "ordering": self.ordering
            if self.ordering is None or isinstance(self.ordering, str)
            else list(self.ordering),
            "seed": self.seed,
            "weight_norm": self.weight_norm,
            "initial_std": self.initial_std,
            "min_scale": self.min_scale,
            "max_log_scale": self.max_log_scale,
            "name": self.name,
        }

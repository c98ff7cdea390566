"""Noise through an invertible network: weights with their density."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import flows
from bbh_tf import memory
from bbh_tf import normal
from bbh_tf import randomness
from bbh_tf import weights
from bbh_tf.flows import flow as base_flow
from bbh_tf.posteriors import posterior
from bbh_tf.posteriors import starts


@keras.saving.register_keras_serializable(package="bbh_tf.posteriors")
class Flow(posterior.Posterior):
    """Distribution of `w_0 + h(e)` for standard normal e and a flow h.

    All weights of a layer (with `bayesify(..., scope="network")`, of the
    network) are one vector, and can depend on each other. The density follows
    from the change of variables,

        log q(w) = log N(e; 0, 1) - log |det dh/de|,

    so use `divergences.MonteCarloKL`. `w_0`, the initial weights, is fixed;
    the flow learns the distance from it. Flows have hundreds of parameters for
    each weight, so this is for small layers and networks; for large ones use
    `WeightNormFlow`.

    Args:
        flow: recipe of h, a `bbh_tf.flows.Flow` without masks; None for
            `bbh_tf.flows.real_nvp()`.
        mean_initializer: initialiser of `w_0`, as Keras takes it (if it has a
            seed, each tensor, and under `bayesify` each layer, gets one made
            from it); None for a truncated normal of variance 1 / fan-in.
        name: name of the layer.

    Raises:
        ValueError: if `flow` is no such flow.

    Example:

    ```python
    bbh_tf.models.bayesify(
        network,
        bbh_tf.posteriors.Flow(bbh_tf.flows.real_nvp(4, units=(50,))),
        scope="network",
    )
    ```

    References:
        Krueger et al., Bayesian Hypernetworks, arXiv:1710.04759.
    """

    has_log_prob = True

    def __init__(self, flow=None, mean_initializer=None, name=None):
        super().__init__(name=name)
        if flow is None:
            flow = flows.real_nvp()
        self._flow_config = base_flow.recipe_config(flow, type(self).__name__)
        self.mean_initializer = keras.initializers.get(mean_initializer)

    def build(self, specs):
        """Makes the flow.

        Args:
            specs: list of `bbh_tf.weights.WeightSpec`.

        Raises:
            MemoryError: before anything is allocated, if the flow does not
                fit in memory.
        """
        count = self.count_parameters(specs)
        names = ", ".join(f"{spec.name} {spec.shape}" for spec in specs)
        memory.require(
            4 * count,
            f"a {type(self).__name__} of {names} with {count:,} parameters "
            "(training with Adam takes four times as much). Narrower flows, "
            "fewer weights or posteriors.WeightNormFlow need less.",
        )
        self._specs = list(specs)
        self._random_specs = self.random_specs(specs)
        self._starts = self._make_starts()
        self.flow = flows.get(self._flow_config)
        self.flow.build(self._dim)

    def _make_starts(self):
        return [
            self.add_weight(
                name=f"{spec.name}_start_{index}",
                shape=spec.shape,
                initializer=posterior.mean_initializer(
                    self.mean_initializer, index, spec
                ),
                trainable=False,
                autocast=False,
            )
            for index, spec in enumerate(self._random_specs)
        ]

    @property
    def _dim(self):
        return sum(spec.size for spec in self._random_specs)

    def count_parameters(self, specs):
        """Counts the parameters of the flow, without making them."""
        dim = sum(spec.size for spec in self.random_specs(specs))
        return flows.get(self._flow_config).count_parameters(dim)

    def sample(self, num_samples, key, position=0, first=0):
        """Draws the random variables; see `Posterior.sample`."""
        self.check_built()
        noise = randomness.normal(
            randomness.fold(key, position), num_samples, (self._dim,), first
        )
        flat, log_det = self._mapped(noise)
        parts = weights.unflatten(
            flat, [spec.shape for spec in self._random_specs]
        )
        samples = [
            tf.convert_to_tensor(start) + part
            for start, part in zip(self._starts, parts)
        ]
        return samples, normal.log_prob(tf.square(noise)) - log_det

    def _mapped(self, noise):
        """Maps forward, in one program where there are programs."""
        forward = self.flow
        # Flows are hundreds of small operations. Called eagerly, they would
        # be compiled anew each time.
        if not tf.executing_eagerly():
            forward = tf.function(self.flow, jit_compile=True, autograph=False)
        return forward(noise)

    @property
    def has_density(self):
        """Whether the flow's inverse is one pass."""
        return flows.get(self._flow_config).has_inverse

    def log_prob(self, samples):
        """Computes log-densities by the inverse; see `Posterior.log_prob`."""
        self.check_built()
        flat = weights.flatten(
            [
                sample - tf.convert_to_tensor(start)
                for start, sample in zip(self._starts, samples, strict=True)
            ]
        )
        noise, log_det = self.flow.inverse(flat)
        return normal.log_prob(tf.square(noise)) + log_det

    def start_at(self, values, relative_std):
        """Puts q around weights; see `Posterior.start_at`.

        Raises:
            ValueError: if the flow has no scale of each element.
        """
        self.check_built()
        self._start_at(starts.arrays(values, self._specs), relative_std)

    def _start_at(self, values, relative_std):
        stds = starts.stds(values, relative_std)
        for start, value in zip(self._starts, values, strict=True):
            start.assign(value)
        sizes = [spec.size for spec in self._random_specs]
        self.flow.start_at(np.repeat(stds, sizes))

    def parameter_report(self):
        """Describes the flow; see `Posterior.parameter_report`."""
        return [
            (
                f"{type(self.flow).__name__} over "
                + ", ".join(spec.name for spec in self._random_specs),
                sum(spec.size for spec in self._specs),
                self.count_parameters(self._specs),
            )
        ]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "flow": self._flow_config,
            "mean_initializer": keras.initializers.serialize(
                self.mean_initializer
            ),
        }

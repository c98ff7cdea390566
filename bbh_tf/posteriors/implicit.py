"""The posterior of Bayes by Hypernet: noise through a hypernetwork."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import hypernetworks
from bbh_tf import memory
from bbh_tf import randomness
from bbh_tf import weights
from bbh_tf.hypernetworks import hyperfan
from bbh_tf.hypernetworks import sliced
from bbh_tf.posteriors import posterior
from bbh_tf.posteriors import starts


@keras.saving.register_keras_serializable(package="bbh_tf.posteriors")
class Implicit(posterior.Posterior):
    """Distribution of `G(z)` for standard normal z and a hypernetwork G.

    Weights are easy to sample; their density is unknown.

    Args:
        hypernetwork: recipe of the hypernetworks; None for
            `bbh_tf.hypernetworks.MLP()`, hidden widths 64, 256, 512.
        noise_dim: dimension of z.
        shared_noise: whether all layers (and tensors) get the same z, or
            each its own. In a plain `keras.Model`, layers that are to share
            noise must have the same `seed` too, and layers that are not,
            different ones: those of one seed have the same noise there.
        per: `"tensor"`, a hypernetwork for each kernel and each bias, as in
            the authors' code; `"layer"`, one for all weights of the layer.
        name: name of the layer.

    Raises:
        ValueError: if an argument is invalid.

    Example:

    ```python
    bbh_tf.posteriors.Implicit(noise_dim=8, shared_noise=True)
    ```

    References:
        Pawlowski et al., Implicit Weight Uncertainty in Neural Networks,
        arXiv:1711.01297, Sec. 2.
    """

    def __init__(
        self,
        hypernetwork=None,
        noise_dim=1,
        shared_noise=False,
        per="tensor",
        name=None,
    ):
        super().__init__(name=name)
        if isinstance(hypernetwork, dict):
            hypernetwork = keras.saving.deserialize_keras_object(hypernetwork)
        if hypernetwork is None:
            hypernetwork = hypernetworks.MLP()
        if not isinstance(hypernetwork, hypernetworks.Hypernetwork):
            raise ValueError(
                "Implicit expects a hypernetwork, such as "
                f"bbh_tf.hypernetworks.MLP(); got {hypernetwork!r}."
            )
        checks.check_config(hypernetwork)
        checks.check_count("noise_dim", noise_dim)
        if per not in ("tensor", "layer"):
            raise ValueError(
                f'Implicit expects per to be "tensor" or "layer"; got {per!r}.'
            )
        slices = getattr(hypernetwork, "slices", None)
        if per == "layer" and isinstance(slices, str):
            raise ValueError(
                "The weights of a whole layer are one vector, without an "
                "output axis to slice along: expected Sliced(slices=<number "
                f"of slices>); got Sliced(slices={slices!r})."
            )
        initializer = hypernetwork.kernel_initializer
        if per == "layer" and initializer == hyperfan.NAME:
            raise ValueError(
                "The weights of a whole layer, or network, are one vector, "
                "without a fan-in: expected kernel_initializer="
                f'"glorot_uniform", or the like; got {initializer!r}.'
            )
        # Only the recipe's configuration is kept: a layer held here would be
        # taken for a part of the model.
        self._hypernetwork_config = keras.saving.serialize_keras_object(
            hypernetwork
        )
        self.noise_dim = noise_dim
        self.shared_noise = checks.flag("shared_noise", shared_noise)
        self.per = per

    def build(self, specs):
        """Makes the hypernetworks.

        Args:
            specs: list of `bbh_tf.weights.WeightSpec`.

        Raises:
            MemoryError: before anything is allocated, if a hypernetwork does
                not fit in memory.
        """
        count = self.count_parameters(specs)
        names = ", ".join(f"{spec.name} {spec.shape}" for spec in specs)
        memory.require(
            4 * count,
            f"hypernetworks of {names} with {count:,} parameters (training "
            f"with Adam takes four times as much). {sliced.ADVICE}",
        )
        self._specs = list(specs)
        self._targets = self._targets_of(specs)
        self._hypernetworks = []
        for index, target in enumerate(self._targets):
            network = self._new_hypernetwork()
            network.kernel_initializer = weights.fresh_initializer(
                network.kernel_initializer, index
            )
            network.output_axes = target.output_axes
            network.build(self.noise_dim, target.shape)
            self._hypernetworks.append(network)

    def count_parameters(self, specs):
        """Counts the parameters of all hypernetworks, without making them."""
        network = self._new_hypernetwork()
        return sum(
            network.count_parameters(self.noise_dim, target.shape)
            for target in self._targets_of(specs)
        )

    def _targets_of(self, specs):
        """What each hypernetwork generates."""
        if self.per == "layer":
            size = sum(spec.size for spec in specs)
            return [weights.WeightSpec("all weights", (size,))]
        return list(specs)

    def sample(self, num_samples, key, position=0, first=0):
        """Draws weights; see `Posterior.sample`. Their density is None."""
        self.check_built()
        count = len(self._hypernetworks)
        if self.shared_noise:
            noise = randomness.normal(
                key, num_samples, (self.noise_dim,), first
            )
            inputs = [noise] * count
        else:
            noise = randomness.normal(
                randomness.fold(key, position),
                num_samples,
                (count, self.noise_dim),
                first,
            )
            inputs = tf.unstack(noise, axis=1)
        flat = [
            network(noise)
            for network, noise in zip(self._hypernetworks, inputs)
        ]
        shapes = [spec.shape for spec in self._specs]
        if self.per == "layer":
            return weights.unflatten(flat[0], shapes), None
        samples = [
            tf.reshape(values, (num_samples, *shape))
            for values, shape in zip(flat, shapes)
        ]
        return samples, None

    def start_at(self, values, relative_std):
        """Puts what is generated around weights; see `Posterior.start_at`.

        Raises:
            ValueError: if the hypernetworks cannot hold given weights.
        """
        self.check_built()
        values = starts.arrays(values, self._specs)
        stds = starts.stds(values, relative_std)
        flat = [value.ravel() for value in values]
        stds = [np.full(x.shape, std) for x, std in zip(flat, stds)]
        if self.per == "layer":
            flat, stds = [np.concatenate(flat)], [np.concatenate(stds)]
        for network, *target in zip(
            self._hypernetworks, flat, stds, strict=True
        ):
            network.start_at(*target)

    def parameter_report(self):
        """Lists the hypernetworks; see `Posterior.parameter_report`."""
        return [
            (
                f"{type(network).__name__} of {target.name}",
                target.size,
                network.count_params(),
            )
            for network, target in zip(self._hypernetworks, self._targets)
        ]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            "hypernetwork": self._hypernetwork_config,
            "noise_dim": self.noise_dim,
            "shared_noise": self.shared_noise,
            "per": self.per,
        }

    def _new_hypernetwork(self):
        network = keras.saving.deserialize_keras_object(
            self._hypernetwork_config
        )
        config = network.get_config()
        config.pop("name", None)
        return type(network).from_config(config)

"""An explicit density of kernels: a normalizing flow."""

import math

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import flows
from bbh_tf.priors import kernel_normal
from bbh_tf.priors import kernel_prior


@keras.saving.register_keras_serializable(package="bbh_tf.priors")
class KernelFlow(kernel_normal.KernelNormal):
    """A flow's density for each slice of a kernel, over its pixels.

    The pixels are whitened as `KernelNormal` does, and a flow makes of normal
    noise what the whitening leaves. `fit` finds mean and covariance in closed
    form, then trains the flow by maximum likelihood; before, it is nearly a
    standard normal. The density is exact, so that the KL of
    `divergences.MonteCarloKL` is no bound, but the KL itself.

    Args:
        kernel_size: height and width, an integer or two.
        flow: recipe of the flow, a `bbh_tf.flows.Flow` whose inverse is one
            pass; None for four RealNVP couplings.
        others: prior of what is no kernel; None for N(0, 1).
        num_slices: how many slices a step looks at; see `KernelPrior`.
        name: name of the layer.

    Raises:
        ValueError: if an argument is not as said.

    Example:

    ```python
    prior = bbh_tf.priors.KernelFlow(7)
    prior.fit(kernels_7x7, num_epochs=1)
    ```

    References:
        Atanov et al., The Deep Weight Prior, arXiv:1810.06943, Sec. 3.1, which
        names flows as explicit priors and trains none.
    """

    def __init__(
        self,
        kernel_size,
        flow=None,
        others=None,
        num_slices=None,
        name=None,
    ):
        if flow is None:
            flow = flows.real_nvp(4, (64,), initial_log_scale=0.0)
        made = flows.get(flow)
        self._flow_config = keras.saving.serialize_keras_object(made)
        # Names are of objects, and a recipe is none.
        self._flow_config["config"].pop("name", None)
        super().__init__(kernel_size, others, num_slices, name)

    def build(self, specs=None):
        """Makes the flow too; see `KernelNormal.build`."""
        if self.built:
            return
        super().build(specs)
        self.flow = flows.get(self._flow_config)
        self.flow.build(math.prod(self.kernel_size))
        self.flow.trainable = False

    def fit(
        self,
        kernels,
        num_epochs=100,
        batch_size=128,
        learning_rate=1e-3,
        seed=0,
    ):
        """Trains the density on slices, with Adam.

        Args:
            kernels: array `(count, height, width)`.
            num_epochs: passes over them.
            batch_size: slices in a step; the last, if fewer, are left to the
                next epoch's order.
            learning_rate: Adam's step size.
            seed: seed of the order of slices.

        Returns:
            List of floats, one an epoch: the mean log-density of its slices
            as it went, nats.

        Raises:
            ValueError: if kernels are not as `KernelNormal.fit` wants them, or
                an argument is not as said.
        """
        for name, value in (
            ("num_epochs", num_epochs),
            ("batch_size", batch_size),
        ):
            checks.check_count(name, value)
        kernels = kernel_prior.check_slices(kernels, self.kernel_size)
        super().fit(kernels)
        optimizer = keras.optimizers.Adam(learning_rate)
        self.flow.trainable = True
        variables = self.flow.trainable_variables
        optimizer.build(variables)

        @tf.function(autograph=False)
        def step(slices):
            with tf.GradientTape() as tape:
                loss = -tf.reduce_mean(self.slice_log_prob(slices, None))
            optimizer.apply_gradients(
                zip(tape.gradient(loss, variables), variables)
            )
            return -loss

        order = np.random.default_rng(seed)
        batch_size = min(batch_size, len(kernels))
        history = []
        try:
            for _ in range(num_epochs):
                shuffled = kernels[order.permutation(len(kernels))]
                found = [
                    float(step(shuffled[start : start + batch_size]))
                    for start in range(
                        0, len(kernels) - batch_size + 1, batch_size
                    )
                ]
                history.append(float(np.mean(found)))
        finally:
            self.flow.trainable = False
        return history

    def white_log_prob(self, white):
        """Computes the flow's log-density; see `KernelNormal`."""
        noise, log_det = self.flow.inverse(white)
        return super().white_log_prob(noise) + log_det

    def sample_white(self, num_samples, count, key):
        """Draws from the flow; see `KernelNormal`."""
        return self.flow(super().sample_white(num_samples, count, key))[0]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "flow": self._flow_config}

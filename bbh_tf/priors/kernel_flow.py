"""An explicit density of kernels: a normalizing flow."""

import math

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import flows
from bbh_tf import randomness
from bbh_tf.flows import flow as base_flow
from bbh_tf.priors import kernel_normal
from bbh_tf.priors import kernel_prior


@keras.saving.register_keras_serializable(package="bbh_tf.priors")
class KernelFlow(kernel_normal.KernelNormal):
    """A flow's density for each slice of a kernel, over its pixels.

    The pixels are whitened as in `KernelNormal`, and a flow models the
    whitened ones. `fit` finds mean and covariance in closed form, then trains
    the flow by maximum likelihood; before, and in a clone made from the
    configuration alone, the prior is nearly a standard normal. The density is
    exact, so `divergences.MonteCarloKL` estimates the KL itself, not a bound.

    Args:
        kernel_size: height and width, an integer or two.
        flow: recipe of the flow, a `bbh_tf.flows.Flow` whose inverse is one
            pass; None for four RealNVP couplings.
        others: prior of everything but kernels; None for N(0, 1).
        num_slices: how many slices a step uses; see `KernelPrior`.
        name: name of the layer.

    Raises:
        ValueError: if an argument is invalid, or the flow has no such inverse.

    Example:

    ```python
    prior = bbh_tf.priors.KernelFlow(7)
    prior.fit(kernels_7x7, num_epochs=1)
    ```

    References:
        Atanov et al., The Deep Weight Prior, arXiv:1810.06943, Sec. 3.1, which
        mentions flows as explicit priors without an experiment.
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
        self._flow_config = base_flow.recipe_config(flow, type(self).__name__)
        if not flows.get(self._flow_config).has_inverse:
            raise ValueError(
                f"{type(self).__name__} needs the density of given kernels: "
                "expected a flow whose inverse is one pass, such as "
                "bbh_tf.flows.real_nvp(); got a "
                f"{self._flow_config['class_name']} that has none."
            )
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
        validation_split=0.1,
        seed=0,
    ):
        """Trains the density on slices, with Adam.

        It keeps the flow of the epoch with the highest density on held-out
        slices: on a few thousand kernels, longer training overfits.

        Args:
            kernels: array `(count, height, width)`.
            num_epochs: passes over them.
            batch_size: slices in a step; the last, if fewer, are left to the
                next epoch's order.
            learning_rate: Adam's step size, a number or a Keras schedule.
            validation_split: share of the slices that is held out, chosen at
                random, at least one slice; 0 for none, which keeps the last
                epoch's flow. Mean and covariance use all slices.
            seed: seed of the order of slices, and of those held out, an
                integer >= 0; None for a random one.

        Returns:
            Dictionary of lists of floats, one an epoch, nats: `"log_prob"`,
            the mean log-density of the slices trained on as it went, and
            `"val_log_prob"`, that of those held out at its end.

        Raises:
            ValueError: if kernels are not as `KernelNormal.fit` wants them, or
                an argument is invalid; if training diverges, which leaves the
                prior as it was; or if the prior was made, or is to be fitted,
                in the scope of a strategy of `tf.distribute`.
        """
        for name, value in (
            ("num_epochs", num_epochs),
            ("batch_size", batch_size),
        ):
            checks.check_count(name, value)
        if seed is None:
            seed = randomness.seed_or_random(None)
        checks.check_count("seed", seed, fewest=0)
        learning_rate = checks.check_learning_rate(learning_rate)
        checks.check_factor("validation_split", validation_split)
        if validation_split >= 1:
            raise ValueError(
                "Expected validation_split to be below 1; got "
                f"{validation_split!r}."
            )
        if tf.distribute.has_strategy() or isinstance(
            self._mean.value, tf.distribute.DistributedValues
        ):
            raise ValueError(
                "KernelFlow expects to be made and fitted outside the scope "
                "of a strategy; layers made within have copies of it."
            )
        kernels = kernel_prior.check_slices(kernels, self.kernel_size)
        before = self.get_weights()
        super().fit(kernels)
        start = float(np.mean(self.slice_log_prob(kernels, None)))
        self.flow.trainable = True
        try:
            history = self._train(
                *_split(kernels, validation_split, seed),
                num_epochs,
                batch_size,
                keras.optimizers.Adam(learning_rate),
                np.random.default_rng(seed),
            )
        finally:
            self.flow.trainable = False
        mean = float(np.mean(self.slice_log_prob(kernels, None)))
        # A nat a pixel: what held-out kernels may cost those trained on.
        if not mean >= start - math.prod(self.kernel_size):
            self.set_weights(before)
            raise ValueError(
                "KernelFlow expects training to raise the density of the "
                f"kernels; got a mean log-density of {mean}, from {start}, "
                f"with learning_rate={learning_rate!r}. Take a smaller one."
            )
        return history

    def _train(
        self, kernels, held_out, num_epochs, batch_size, optimizer, order
    ):
        variables = self.flow.trainable_variables
        optimizer.build(variables)

        @tf.function(autograph=False)
        def density(slices):
            return tf.reduce_mean(self.slice_log_prob(slices, None))

        @tf.function(autograph=False)
        def step(slices):
            with tf.GradientTape() as tape:
                loss = -density(slices)
            optimizer.apply_gradients(
                zip(tape.gradient(loss, variables), variables)
            )
            return -loss

        batch_size = min(batch_size, len(kernels))
        history = {"log_prob": [], "val_log_prob": []}
        best, kept = -math.inf, None
        for _ in range(num_epochs):
            shuffled = kernels[order.permutation(len(kernels))]
            found = [
                float(step(shuffled[start : start + batch_size]))
                for start in range(0, len(kernels) - batch_size + 1, batch_size)
            ]
            history["log_prob"].append(float(np.mean(found)))
            if not len(held_out):
                continue
            history["val_log_prob"].append(float(density(held_out)))
            if history["val_log_prob"][-1] > best:
                best = history["val_log_prob"][-1]
                kept = [variable.numpy() for variable in variables]
        if kept is not None:
            for variable, value in zip(variables, kept):
                variable.assign(value)
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


def _split(kernels, share, seed):
    """Returns slices to train on, and those held out."""
    if not share:
        return kernels, kernels[:0]
    order = np.random.default_rng((seed, 1)).permutation(len(kernels))
    count = min(max(1, round(share * len(kernels))), len(kernels) - 1)
    return kernels[order[count:]], kernels[order[:count]]

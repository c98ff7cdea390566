"""The variational autoencoder of convolution kernels."""

import keras
import numpy as np
import tensorflow as tf

from bbh_tf import checkpointing
from bbh_tf import checks
from bbh_tf import priors
from bbh_tf import randomness
from bbh_tf.layers import replica_noise
from bbh_tf.models import kernel_log_prob
from bbh_tf.models import objective
from bbh_tf.models import random_states
from bbh_tf.models import replicated_training
from bbh_tf.models.networks import kernel_networks
from bbh_tf.priors import kernel_prior
from bbh_tf.priors import latent_bound


@keras.saving.register_keras_serializable(package="bbh_tf.models")
class KernelAutoencoder(
    replicated_training.ReplicatedTraining,
    checkpointing.Checkpointed,
    keras.Model,
):
    """Learns a density of k x k kernels from kernels of trained networks.

        p(w) = integral of p(w | z) p(z),  z ~ N(0, I)

    Both p(w | z) and the encoder r(z | w) are independent normals, with means
    and variances from networks. Compile it without a loss and `fit` it on
    slices, `(count, k, k)`: the loss is minus the bound on log p(w), nats per
    slice. Called on slices, it returns the bound for each, from one sample of
    z. `as_prior` turns it into a prior for a layer.

    Args:
        kernel_size: k, odd, at least 3. For 7 and 5 the networks are those of
            the paper; for others, that of 5 with as many 3 x 3 convolutions as
            the size needs.
        latent_dim: dimension of z; None for the paper's, 2 at 7 x 7 and 4 at
            others.
        num_steps: T of the Markov chain z_0, ..., z_T that the prior of z_T is
            (Eq. 9); 0 for N(0, I).
        seed: seed of the samples of z in training; None for a random one.
        scale: what kernels are divided by before the networks see them. Bounds
            and draws are of the kernels themselves. The paper's networks, at
            1, learn kernels with a root mean square of about 0.2; with one of
            0.03, in a few thousand steps, they may learn little, and draw
            kernels that are far too large: then take
            `scale=5 * numpy.std(kernels)`. None for 1, and a warning of arrays
            of so small kernels.
        name: name of the model.

    Raises:
        ValueError: if an argument is invalid.

    Example:

    ```python
    autoencoder = bbh_tf.models.KernelAutoencoder(7)
    autoencoder.compile(keras.optimizers.Adam(1e-3))
    autoencoder.fit(kernels_7x7, batch_size=128, epochs=2, verbose=0)
    prior = autoencoder.as_prior(num_slices=256)
    ```

    References:
        Atanov et al., The Deep Weight Prior, arXiv:1810.06943, Sec. 3.1 and
        App. F and H.1.
    """

    def __init__(
        self,
        kernel_size,
        latent_dim=None,
        num_steps=0,
        seed=None,
        scale=None,
        name=None,
    ):
        super().__init__(name=name, dtype="float32")
        is_odd = checks.is_count(kernel_size) and kernel_size % 2 == 1
        if not is_odd or kernel_size < 3:
            raise ValueError(
                "Expected kernel_size to be an odd integer, at least 3; got "
                f"{kernel_size!r}."
            )
        if latent_dim is None:
            latent_dim = 2 if kernel_size == 7 else 4
        checks.check_count("latent_dim", latent_dim)
        if not checks.is_count(num_steps, fewest=0):
            raise ValueError(
                "Expected num_steps to be a positive integer or 0; got "
                f"{num_steps!r}."
            )
        if scale is not None:
            checks.check_positive("scale", scale)
        self._is_scaled = scale is not None
        self.scale = float(scale) if self._is_scaled else 1.0
        self.kernel_size = int(kernel_size)
        self.latent_dim = int(latent_dim)
        self.num_steps = int(num_steps)
        self.seed = randomness.seed_or_random(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.encoder, self.decoder = (
            make(kernel_size, latent_dim, self.scale)
            for make in (kernel_networks.encoder, kernel_networks.decoder)
        )
        self.transitions, self.reverse_transitions = (
            kernel_networks.transitions(latent_dim, self.num_steps, what)
            for what in ("transition", "reverse_transition")
        )
        self.built = True

    @property
    def networks(self):
        """The networks, a `priors.latent_bound.Networks`."""
        return latent_bound.Networks(
            self.decoder,
            self.encoder,
            self.transitions,
            self.reverse_transitions,
        )

    def call(self, kernels):
        """Bounds log p(w) from one sample of z.

        Args:
            kernels: `(n, k, k)`.

        Returns:
            `float32` tensor `(n,)`, nats.
        """
        kernels = tf.cast(kernels, tf.float32)
        shape = 1, tf.shape(kernels)[0], self.latent_dim
        with replica_noise.apart(self):
            noise = [
                randomness.example_normal(shape, self.seed_generator)
                for _ in range(self.num_steps + 1)
            ]
        noise = [tf.ensure_shape(x, (1, None, self.latent_dim)) for x in noise]
        return latent_bound.log_weights(
            self.networks, kernels, noise, is_closed=True
        )[0]

    def compile(self, optimizer="rmsprop", loss=None, **kwargs):
        """Configures training; see `keras.Model.compile`.

        Raises:
            ValueError: if a loss or a metric is given.
        """
        _refuse("loss", loss)
        for name in ("loss_weights", "metrics", "weighted_metrics"):
            _refuse(name, kwargs.get(name) or None)
        super().compile(optimizer, **kwargs)

    def compile_from_config(self, config):
        """Compiles a loaded model, with room for its optimiser's state."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    @objective.after_its_data
    def train_step(self, data):
        """Makes one optimiser step; see `keras.Model.train_step`."""
        return super().train_step(data)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Returns minus the mean bound over the whole batch, nats per slice.

        Under R replicas 1 / R of it, as Keras expects; its gradient is that of
        the replica's own slices, whatever their number.

        Raises:
            ValueError: if there are weights, or labels.
        """
        del x, training
        _refuse("sample_weight", sample_weight)
        _refuse("labels y", y if y is None else type(y).__name__)
        count = objective.sum_over_replicas(tf.size(y_pred))
        own = -tf.reduce_sum(y_pred) / tf.cast(count, y_pred.dtype)
        strategy = tf.distribute.get_strategy()
        whole = objective.sum_over_replicas(tf.stop_gradient(own))
        scaled = whole / strategy.num_replicas_in_sync
        return own + tf.stop_gradient(scaled - own)

    def fit(self, x=None, *args, **kwargs):
        """Trains on slices; see `keras.Model.fit`.

        Raises:
            ValueError: if `x` does not fit, or slices have weights or labels.
        """
        # Keras drops weights where there are no labels.
        _refuse("sample_weight", kwargs.get("sample_weight"))
        x = self._slices(x)
        if isinstance(x, np.ndarray) and not self._is_scaled:
            kernel_networks.warn_of_small(x)
        return super().fit(x, *args, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        """Returns minus the mean bound; see `keras.Model.evaluate`, `fit`."""
        _refuse("sample_weight", kwargs.get("sample_weight"))
        return super().evaluate(self._slices(x), *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        """Returns the bounds; see `call`, `fit` and `keras.Model.predict`."""
        return super().predict(self._slices(x), *args, **kwargs)

    def log_prob(
        self, kernels, num_samples=20, importance_weighted=False, seed=0
    ):
        """Bounds log p(w) of each slice from many samples of z.

        Args:
            kernels: array `(n, k, k)`.
            num_samples: samples of z of each slice.
            importance_weighted: whether to return the log-mean-exp of
                p(w, z) / r(z | w) over them, which rises to log p(w) with
                their number; else the mean of its log, the bound used in
                training.
            seed: seed of the samples.

        Returns:
            `float32` array `(n,)`, nats.

        Raises:
            ValueError: if `kernels` has another shape or is not finite.
        """
        kernels = kernel_prior.check_slices(kernels, 2 * (self.kernel_size,))
        checks.check_count("num_samples", num_samples)
        checks.flag("importance_weighted", importance_weighted)

        return kernel_log_prob.estimate(
            self.networks,
            kernels,
            (self.num_steps + 1, self.latent_dim),
            num_samples,
            importance_weighted,
            seed,
        )

    def as_prior(
        self,
        train_reverse=True,
        num_importance_samples=1,
        others=None,
        num_slices=None,
    ):
        """Returns the density as a prior of layers with k x k kernels.

        Args:
            train_reverse: see `bbh_tf.priors.DeepWeightPrior` for this and
                what follows.
            num_importance_samples: K.
            others: prior of the biases.
            num_slices: how many slices a step uses; None for all.

        Returns:
            A `DeepWeightPrior`, with copies of the networks.
        """
        return priors.DeepWeightPrior(
            *self.networks,
            train_reverse=train_reverse,
            num_importance_samples=num_importance_samples,
            others=others,
            num_slices=num_slices,
        )

    def save_own_variables(self, store):
        """Saves the state of the noise of training."""
        super().save_own_variables(store)
        random_states.save(self, store)

    def load_own_variables(self, store):
        """Loads what `save_own_variables` saved."""
        own = {key: store[key] for key in store.keys()}
        # Files of earlier versions have none.
        super().load_own_variables(random_states.load(self, own) if own else {})

    def get_config(self):
        """Returns the constructor's arguments."""
        names = "kernel_size", "latent_dim", "num_steps", "seed", "name"
        config = {name: getattr(self, name) for name in names}
        return {**config, "scale": self.scale if self._is_scaled else None}

    def _slices(self, x):
        # Of a list Keras would make inputs, one a slice.
        if not isinstance(x, (np.ndarray, tf.Tensor, list, tuple)):
            return x
        return kernel_prior.check_slices(x, 2 * (self.kernel_size,))


def _refuse(argument, value):
    if value is not None:
        raise ValueError(
            "KernelAutoencoder trains on minus the mean bound, in which all "
            f"slices count alike: expected no {argument}; got {value!r}."
        )

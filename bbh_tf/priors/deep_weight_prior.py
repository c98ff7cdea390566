"""The deep weight prior: a density of kernels that was learnt from kernels."""

import json
import math

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import randomness
from bbh_tf.priors import kernel_prior
from bbh_tf.priors import latent_bound

_NETWORKS = ("decoder", "reverse", "transitions", "reverse_transitions")
# Slices that the decoder makes at once.
_BLOCK = 4096


@keras.saving.register_keras_serializable(package="bbh_tf.priors")
class DeepWeightPrior(kernel_prior.KernelPrior):
    """p(w) = integral of p(w | z) p(z) for each slice w of a kernel.

    The decoder p(w | z) was trained on kernels of other networks, and is
    frozen; `bbh_tf.models.KernelAutoencoder(...).as_prior()` makes such a
    prior. (Of a clone made from the configuration alone, as
    `keras.models.clone_model` makes it, the networks are new.) The density
    cannot be computed; `log_prob` is a lower bound on its logarithm, with a
    reverse model r(z | w),

        E_r[log p(w | z) + log p(z) - log r(z | w)],

    so the KL of `divergences.MonteCarloKL` is an upper bound. The reverse
    model (each layer has a copy) trains with the posterior, which tightens the
    bound.

    With `transitions` z is the end of a Markov chain (Eq. 9).

    Args:
        decoder: p(w | z), a built functional or Sequential Keras model from
            `(n, latent_dim)` to a list of means and variances, each `(n,
            height, width)`; or its serialised form. It is copied, as the
            others are, and computes in float32, as it does in inference.
        reverse: r(z | w), where the reverse model starts: a Keras model from
            `(n, height, width)` to means and variances `(n, latent_dim)`.
        transitions: list of Keras models, p(z_{t+1} | z_t); frozen.
        reverse_transitions: as many, r(z_t | z_{t+1}).
        train_reverse: whether reverse model and reverse transitions train
            with the posterior, as in the paper's Algorithm 1; in the authors'
            code they stay as they are.
        num_importance_samples: K, samples of z of each slice. With more than
            one, the bound is the tighter importance-weighted one, a
            log-mean-exp for each slice (Eq. 17).
        others: prior of everything but kernels; None for N(0, 1).
        num_slices: how many slices a step uses; see `KernelPrior`. The
            networks of the prior are larger than most layers: 256 slices cost
            a tenth of 4,128.
        name: name of the layer.

    Raises:
        ValueError: if an argument is invalid.

    Example:

    ```python
    autoencoder = bbh_tf.models.KernelAutoencoder(7)
    autoencoder.compile("adam")
    autoencoder.fit(kernels_7x7, verbose=0)
    bbh_tf.layers.Bayesian(
        keras.layers.Conv2D(32, 7),
        bbh_tf.posteriors.MeanField(),
        prior=autoencoder.as_prior(num_slices=256),
        divergence=bbh_tf.divergences.MonteCarloKL(),
    )
    ```

    References:
        Atanov et al., The Deep Weight Prior, arXiv:1810.06943.
    """

    is_bound = True

    def __init__(
        self,
        decoder,
        reverse,
        transitions=(),
        reverse_transitions=(),
        train_reverse=True,
        num_importance_samples=1,
        others=None,
        num_slices=None,
        name=None,
    ):
        decoder, reverse = _copy_of(decoder), _copy_of(reverse)
        dim = _check_networks(decoder, reverse)
        super().__init__(decoder.output_shape[0][1:], others, num_slices, name)
        checks.check_count("num_importance_samples", num_importance_samples)
        for name, models in (
            ("transitions", transitions),
            ("reverse_transitions", reverse_transitions),
        ):
            if not isinstance(models, (list, tuple)):
                raise ValueError(
                    f"DeepWeightPrior expects {name} to be a list of Keras "
                    f"models; got {models!r}."
                )
        if len(transitions) != len(reverse_transitions):
            raise ValueError(
                "DeepWeightPrior expects as many reverse_transitions as "
                f"transitions; got {len(reverse_transitions)} and "
                f"{len(transitions)}."
            )
        self.num_importance_samples = int(num_importance_samples)
        self.train_reverse = checks.flag("train_reverse", train_reverse)
        self.decoder = decoder
        self.reverse = reverse
        self.transitions = [_copy_of(model) for model in transitions]
        self.reverse_transitions = [_copy_of(x) for x in reverse_transitions]
        for model in [*self.transitions, *self.reverse_transitions]:
            _check_outputs("transition", model, (dim,), (dim,))
        self._freeze()
        self.build()

    @property
    def networks(self):
        """The networks, a `latent_bound.Networks`."""
        return latent_bound.Networks(
            self.decoder,
            self.reverse,
            self.transitions,
            self.reverse_transitions,
        )

    @property
    def trainable(self):
        """Whether the reverse model is trained; the rest never is."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        keras.layers.Layer.trainable.fset(self, value)
        self._freeze()

    def _freeze(self):
        is_trained = self._trainable and self.train_reverse
        for model in (self.decoder, *self.transitions):
            model.trainable = False
        for model in (self.reverse, *self.reverse_transitions):
            model.trainable = is_trained

    def trains_with_density(self):
        """Whether the reverse model trains: samples do not need it."""
        return bool(self.trainable_variables)

    def slice_log_prob(self, slices, key):
        """Bounds the slices' log-densities; see `KernelPrior`."""
        num_samples = self.num_importance_samples
        noise = [
            randomness.normal(
                randomness.fold(key, step),
                num_samples,
                (slices.shape[0], self.networks.latent_dim),
            )
            for step in range(len(self.transitions) + 1)
        ]
        found = latent_bound.log_weights(
            self.networks, slices, noise, is_closed=num_samples == 1
        )
        return tf.reduce_logsumexp(found, axis=0) - math.log(num_samples)

    def sample_slices(self, num_samples, count, key):
        """Draws slices; see `KernelPrior`."""
        dim, size = self.networks.latent_dim, math.prod(self.kernel_size)
        steps = len(self.transitions) + 1
        noise = [
            tf.reshape(
                randomness.normal(
                    randomness.fold(key, step), num_samples, (count, dim)
                ),
                (-1, dim),
            )
            for step in range(steps)
        ]
        mean, variance = self._generate(noise)
        epsilon = randomness.normal(
            randomness.fold(key, steps), num_samples, (count * size,)
        )
        shape = num_samples, count, *self.kernel_size
        epsilon = tf.reshape(epsilon, shape)
        std = tf.sqrt(tf.reshape(variance, shape))
        return tf.reshape(mean, shape) + std * epsilon

    def _generate(self, noise):
        total = noise[0].shape[0]
        if total <= _BLOCK:
            return latent_bound.generate(self.networks, noise)
        # What the decoder keeps of one slice is a hundred times the slice.
        num_blocks = -(-total // _BLOCK)
        blocks = [
            tf.reshape(
                tf.pad(x, ((0, num_blocks * _BLOCK - total), (0, 0))),
                (num_blocks, _BLOCK, x.shape[1]),
            )
            for x in noise
        ]
        found = tf.map_fn(
            lambda some: latent_bound.generate(self.networks, some),
            blocks,
            fn_output_signature=(tf.float32, tf.float32),
        )
        return [
            tf.reshape(x, (num_blocks * _BLOCK, *self.kernel_size))[:total]
            for x in found
        ]

    def get_config(self):
        """Returns the constructor's arguments."""
        config = super().get_config()
        del config["kernel_size"]
        # Lists in the place of tuples, as a file brings them back.
        networks = json.loads(
            json.dumps(
                {
                    name: keras.saving.serialize_keras_object(
                        getattr(self, name)
                    )
                    for name in _NETWORKS
                }
            )
        )
        return {
            **config,
            **networks,
            "train_reverse": self.train_reverse,
            "num_importance_samples": self.num_importance_samples,
        }


def _copy_of(model):
    """Makes a copy in float32, under whatever policy the model was made."""
    if isinstance(model, dict):
        return _in_float32(keras.saving.deserialize_keras_object(model))
    is_model = isinstance(model, keras.Model) and model.built
    if not is_model or getattr(model, "inputs", None) is None:
        raise ValueError(
            "DeepWeightPrior expects built Keras models, functional or "
            f"Sequential; got {model!r}."
        )
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return _in_float32(copy)


def _in_float32(model):
    for layer in model._flatten_layers():
        layer.dtype_policy = keras.DTypePolicy("float32")
    return model


def _check_networks(decoder, reverse):
    """Refuses networks that do not fit; returns the dimension of z."""
    (*_, dim), _ = _shapes("decoder", decoder)
    kernel, _ = _shapes("reverse", reverse)
    if len(kernel) != 2:
        raise ValueError(
            "DeepWeightPrior expects reverse to take kernels (n, height, "
            f"width); got {reverse.input_shape}."
        )
    _check_outputs("decoder", decoder, (dim,), kernel)
    _check_outputs("reverse", reverse, kernel, (dim,))
    return dim


def _shapes(what, model):
    """Returns the shapes of an example: of the input, of the outputs."""
    if len(model.inputs) != 1:
        raise ValueError(
            f"DeepWeightPrior expects its {what} to have one input; got "
            f"{len(model.inputs)}."
        )
    (inputs,) = model.inputs
    shapes = keras.tree.map_structure(
        lambda tensor: tuple(tensor.shape[1:]),
        model.compute_output_spec(inputs),
    )
    is_list = isinstance(shapes, list)
    return tuple(inputs.shape[1:]), tuple(shapes) if is_list else shapes


def _check_outputs(what, model, inputs, outputs):
    expected = inputs, (outputs, outputs)
    found = _shapes(what, model)
    if found != expected:
        raise ValueError(
            f"DeepWeightPrior expects its {what} to map {expected[0]} to means "
            f"and variances {expected[1]}; got {found[0]} to {found[1]}."
        )

"""A Bayesian layer that draws its outputs in training, not its weights."""

import keras
import tensorflow as tf

from bbh_tf.layers import drawing
from bbh_tf.layers import linear_part
from bbh_tf.layers import output_sampling
from bbh_tf.layers.bayesian import Bayesian


@keras.saving.register_keras_serializable(package="bbh_tf.layers")
class LocalReparameterization(Bayesian):
    """`Bayesian` that samples outputs instead of weights in training.

    If weights are independent normals, outputs are normal too. Then the output
    of each example can be sampled instead of the weights, with two calls of
    the layer:

        output ~ N(linear(x, mean) + bias, linear(x^2, variance))

    Each example then has its own noise, and gradients have a lower variance.
    For a dense layer on inputs `(batch, features)` the expected loss is the
    same as under draws of the weights. For a convolution, a dense layer on
    sequences or a layer that is called twice, only the mean and the variance of
    each output are the same: each position in an image, each time step and each
    call gets its own noise, while a draw of the weights has one kernel for all.

    Outside training, predictions are those of `Bayesian`, with draws of the
    weights. The KL is the same, too.

    Args:
        layer: a `Dense`, `Conv1D`, `Conv2D`, `Conv3D`, `DepthwiseConv1D` or
            `DepthwiseConv2D`.
        posterior: recipe of the posterior, with independent normals:
            `bbh_tf.posteriors.MeanField()`.
        prior: see `Bayesian` for this and what follows.
        kl_weight: weight of the KL in the loss of a plain model.
        divergence: estimate of the KL in a plain model.
        num_samples: posterior samples of that estimate.
        seed: seed of the layer's own draws, and of the outputs'.
        sublayers: as in `Bayesian`.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: if an argument is invalid, or the layer has
            regularisers or LoRA.

    Example:

    ```python
    bbh_tf.layers.LocalReparameterization(
        keras.layers.Dense(10), bbh_tf.posteriors.MeanField()
    )
    ```

    References:
        Kingma et al., Variational Dropout and the Local Reparameterization
        Trick, arXiv:1506.02557, Sec. 2.3; Atanov et al., The Deep Weight
        Prior, arXiv:1810.06943, Sec. 4.
    """

    def __init__(
        self,
        layer,
        posterior,
        prior=None,
        kl_weight=None,
        divergence=None,
        num_samples=5,
        seed=None,
        sublayers=None,
        **kwargs,
    ):
        if not linear_part.is_known(layer):
            raise ValueError(
                "LocalReparameterization expects a Dense, Conv1D, Conv2D, "
                "Conv3D, DepthwiseConv1D or DepthwiseConv2D layer; got "
                f"{layer!r}."
            )
        super().__init__(
            layer,
            posterior,
            prior,
            kl_weight,
            divergence,
            num_samples,
            seed,
            sublayers,
            **kwargs,
        )
        self.seed_generator = keras.random.SeedGenerator(self.seed)

    def build(self, *args, **kwargs):
        """Builds layer and posterior; see `Bayesian.build`.

        Raises:
            ValueError: if the posterior is not of independent normals, or the
                layer has regularisers or LoRA, besides what `Bayesian` refuses.
        """
        super().build(*args, **kwargs)
        if getattr(self.layer, "lora_enabled", False):
            # Its random matrices are multiplied: no output is normal.
            raise ValueError(
                "LocalReparameterization expects a layer without LoRA, which "
                f"Bayesian takes; {self.layer.name!r} has it."
            )
        if self.layer.activity_regularizer or any(
            variable.regularizer for variable in self.replaced_variables
        ):
            raise ValueError(
                "LocalReparameterization expects a layer without regularisers, "
                f"which would want weights; {self.layer.name!r} has some."
            )
        import tensorflow_probability as tfp

        found = self.posterior.distributions()
        is_over_weights = self.posterior.is_over_weights
        if (
            found is None
            or not is_over_weights
            or not all(isinstance(q, tfp.distributions.Normal) for q in found)
        ):
            raise ValueError(
                "LocalReparameterization needs a posterior of independent "
                f"normals, MeanField; layer {self.name!r} has "
                f"{type(self.posterior).__name__}."
            )

    def training_draw(self, num_samples, key, position=0):
        """Draws for the KL alone; the outputs have noise of their own."""
        draw = self.draw(num_samples, key, position)
        return draw._replace(weights=None)

    def run(self, *args, **kwargs):
        """Runs the wrapped layer, on outputs that are drawn in training."""
        if drawing.is_drawn(self) and drawing.drawn(self) is None:
            kwargs.pop("training", None)
            return self._sample_outputs(*args, **kwargs)
        return super().run(*args, **kwargs)

    def _sample_outputs(self, inputs):
        drawn = {
            id(variable): q
            for variable, q in zip(
                self.replaced_variables, self.posterior.distributions()
            )
        }
        layer = self.layer
        inputs = tf.cast(inputs, tf.float32)
        kernel, bias = (
            _moments(variable, drawn) for variable in (layer.kernel, layer.bias)
        )
        mean, variance = (
            linear_part.add_bias(
                layer, linear_part.linear(layer, x, of_kernel), of_bias
            )
            for x, of_kernel, of_bias in zip(
                (inputs, tf.square(inputs)), kernel, bias
            )
        )
        outputs = output_sampling.sample(mean, variance, self.seed_generator)
        outputs = tf.cast(outputs, self.layer.compute_dtype)
        activation = layer.activation or keras.activations.linear
        return activation(outputs)


def _moments(variable, drawn):
    """Returns mean and variance; those of a point estimate, or of none."""
    if variable is None:
        return None, None
    if id(variable) in drawn:
        q = drawn[id(variable)]
        return q.mean(), q.variance()
    value = tf.cast(tf.convert_to_tensor(variable), tf.float32)
    return value, tf.zeros_like(value)

"""What the layers of multiplicative normalizing flows share."""

import keras
import tensorflow as tf

from bbh_tf import checks
from bbh_tf import layer_draw
from bbh_tf import randomness
from bbh_tf import settings
from bbh_tf import weights
from bbh_tf.layers import alone
from bbh_tf.layers import drawing
from bbh_tf.layers import mnf_posterior
from bbh_tf.layers import output_sampling
from bbh_tf.layers import time_steps
from bbh_tf.layers import total_kl
from bbh_tf.layers.random_layer import RandomLayer

# Arguments that are the posterior's, in its constructor's order.
_POSTERIOR_ARGUMENTS = (
    "num_flows",
    "flow_units",
    "num_auxiliary_flows",
    "auxiliary_flow_units",
    "max_std",
    "initial_log_std",
    "initial_z_mean",
    "prior_variance",
)


class MNF(RandomLayer):
    """Base of layers whose weights have a multiplicative normalizing flow.

    The weights are normal, around means multiplied by random factors z, and a
    flow turns a normal into the distribution of z:

        z ~ q(z), the flow of N(z_mean, z_variance)
        W | z ~ N(z * mean, std^2), each weight by itself

    `kl` estimates an upper bound of KL(q(W) || p(W)), which holds for any
    auxiliary r(z | W) and is exact where that is q(z | W):

        E[KL(q(W | z) || p(W)) + log q(z) - log r(z | W)].

    In training, and always in a plain `keras.Model`, each example has its own
    z, and outputs are sampled instead of weights ("local reparameterization"),
    anew in each call. A draw of a `bbh_tf.models.BayesianModel` fixes the
    weights for all examples. A single output has the same distribution either
    way.

    A subclass says what the weights do: `scales_outputs`, `kernel_shape`,
    `linear`, `auxiliary_activation` and `plain_layer`.

    Args:
        activation: activation of the layer, as Keras takes it.
        use_bias: whether there is a bias; it is random as well.
        num_flows: steps of the flow of q.
        flow_units: width of the hidden layer of such a step.
        num_auxiliary_flows: steps of the flow of r.
        auxiliary_flow_units: width of the hidden layer of such a step.
        max_std: limit of the standard deviations when sampling, not in the
            KL, as in the authors' code. None for no limit.
        initial_log_std: log standard deviations of the kernel, and (as in the
            authors' code) log-variances of the bias, start around this.
        initial_z_mean: means of z before the flow start around this. At 1
            the layer starts as an ordinary one. The authors' code starts at
            0, where signs are random, and learns later.
        prior_variance: the prior of the weights is N(0, prior_variance).
        kernel_initializer: initialiser of the kernel's means; None for a
            truncated normal of variance 1 / fan-in.
        kl_weight: weight of the KL in the loss of a plain model, 1 / number
            of training examples; 0 for no KL, and None for none and a
            warning. It is added in each call of the layer. A
            `bbh_tf.models.BayesianModel` adds the KL itself, once.
        seed: seed of the layer's own noise; None for a random one.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: if an argument is invalid.
    """

    # Whether z has a factor for each output, bias included; else each input.
    scales_outputs = False
    has_kl = True
    kl_weight = settings.Setting("float64", checks.check_factor, True)

    def __init__(
        self,
        activation=None,
        use_bias=True,
        num_flows=2,
        flow_units=50,
        num_auxiliary_flows=2,
        auxiliary_flow_units=100,
        max_std=0.5,
        initial_log_std=-9.0,
        initial_z_mean=1.0,
        prior_variance=1.0,
        kernel_initializer=None,
        kl_weight=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check(max_std, prior_variance, initial_log_std, initial_z_mean)
        self.activation = keras.activations.get(activation)
        self.use_bias = checks.flag("use_bias", use_bias)
        self.num_flows = num_flows
        self.flow_units = flow_units
        self.num_auxiliary_flows = num_auxiliary_flows
        self.auxiliary_flow_units = auxiliary_flow_units
        self.max_std = max_std
        self.initial_log_std = initial_log_std
        self.initial_z_mean = initial_z_mean
        self.prior_variance = prior_variance
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kl_weight = kl_weight
        self.posterior = mnf_posterior.MNFPosterior(
            self.scales_outputs,
            self.auxiliary_activation,
            **{name: getattr(self, name) for name in _POSTERIOR_ARGUMENTS},
            kernel_initializer=self.kernel_initializer,
            name="posterior",
        )
        self.kept_seed = randomness.KeptSeed(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)

    @property
    def seed(self):
        """The seed of the layer's own noise; it is loaded with weights."""
        return self.kept_seed.value

    def kernel_shape(self, input_shape):
        """Returns the shape of the kernel."""
        raise NotImplementedError

    def linear(self, inputs, kernel):
        """Applies a kernel to inputs, without bias."""
        raise NotImplementedError

    def auxiliary_activation(self, projected):
        """Returns what r(z | W) makes of the projected weights."""
        raise NotImplementedError

    def build(self, input_shape):
        """Makes the parameters.

        Args:
            input_shape: shape of the inputs, batch axis included.
        """
        self.input_spec = keras.layers.InputSpec(
            min_ndim=self.plain_layer().input_spec.min_ndim,
            axes={-1: input_shape[-1]},
        )
        kernel = tuple(self.kernel_shape(input_shape))
        specs = [weights.WeightSpec("kernel", kernel)]
        if self.use_bias:
            specs.append(weights.WeightSpec("bias", kernel[-1:]))
        self._size = sum(spec.size for spec in specs)
        self.posterior.build(specs)
        self.draw_number = drawing.add_counter(self, "draw_number")
        if not self.trainable:
            # Keras freezes no part of a layer that was made frozen.
            self.posterior.trainable = False

    def call(self, inputs, training=None):
        """Applies the layer; see the class for its noise."""
        drawn = drawing.drawn(self)
        if drawn is not None:
            drawn = [tf.cast(tensor, self.compute_dtype) for tensor in drawn]
            return self.activation(self._affine(inputs, drawn))
        is_alone = training and not drawing.is_drawn(self)
        if is_alone and alone.is_weighted(self):
            time_steps.check_none(self)
            number = self.draw_number.value
            key = randomness.key(
                self.kept_seed.word, randomness.TRAINING, number
            )
            kl_weight = MNF.kl_weight.tensor(self, "float32")
            total_kl.add_losses(self, [kl_weight * self.kl(key)])
            drawing.count_on(self.draw_number, inputs)
        outputs = self._sample_outputs(tf.cast(inputs, tf.float32))
        return self.activation(tf.cast(outputs, self.compute_dtype))

    def _sample_outputs(self, inputs):
        posterior = self.posterior
        noise = randomness.example_normal(
            (tf.shape(inputs)[0], *posterior.z_noise_shape),
            self.seed_generator,
        )
        z, _ = posterior.sample_z(noise)
        z = tf.reshape(z, (-1, *[1] * (inputs.shape.rank - 2), posterior.dim))
        if self.scales_outputs:
            mean = z * self._affine(inputs, posterior.means)
        else:
            mean = self._affine(z * inputs, posterior.means)
        variance = self._affine(tf.square(inputs), posterior.variances())
        return output_sampling.sample(mean, variance, self.seed_generator)

    def _affine(self, inputs, tensors):
        outputs = self.linear(inputs, tensors[0])
        return outputs + tensors[1] if self.use_bias else outputs

    def compute_output_shape(self, input_shape):
        """Returns the ordinary layer's output shape."""
        return self.plain_layer().compute_output_shape(input_shape)

    def draw(self, num_samples, key, position=0, first=0):
        """Draws kernel and bias; see `RandomLayer.draw`."""
        drawn = self.posterior.sample(num_samples, key, position, first)
        return layer_draw.LayerDraw([], None, drawn)

    def draw_size(self):
        """Returns how many weights there are."""
        return self._size

    def kl(self, key):
        """Estimates the bound of the KL; see the class."""
        return self.posterior.kl(key)

    def parameter_report(self):
        """Describes the parameters, as `Posterior.parameter_report` does."""
        others = self.posterior.count_params() - 2 * self._size
        return [
            ("means and deviations of the weights", self._size, 2 * self._size),
            ("factors and their flows", 0, others),
        ]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in _POSTERIOR_ARGUMENTS},
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "kl_weight": self.kl_weight,
            "seed": self.seed,
        }


def _check(max_std, prior_variance, initial_log_std, initial_z_mean):
    if max_std is not None:
        checks.check_positive("max_std", max_std)
    checks.check_positive("prior_variance", prior_variance)
    checks.check_number("initial_log_std", initial_log_std)
    checks.check_number("initial_z_mean", initial_z_mean)

"""A wrapper that makes the weights of any Keras layer random."""

import math

import keras

from bbh_tf import checks
from bbh_tf import divergences
from bbh_tf import posteriors
from bbh_tf import priors
from bbh_tf import randomness
from bbh_tf import settings
from bbh_tf.layers import alone
from bbh_tf.layers import copying
from bbh_tf.layers import drawing
from bbh_tf.layers import own_types
from bbh_tf.layers import selection
from bbh_tf.layers import signatures
from bbh_tf.layers import time_steps
from bbh_tf.layers import total_kl
from bbh_tf.layers import weight_specs
from bbh_tf.layers import wrapped
from bbh_tf.layers import wrapper_saving
from bbh_tf.layers.random_layer import RandomLayer


@keras.saving.register_keras_serializable(package="bbh_tf.layers")
class Bayesian(wrapper_saving.WrapperSaving, RandomLayer):
    """Wraps a layer and owns the posterior of its weights.

    The wrapped layer computes as usual and takes its usual arguments, but its
    kernels and biases come from the posterior. Scales and offsets of
    normalisation layers, and frozen layers, stay point estimates.

    Inside a `bbh_tf.models.BayesianModel` the model draws for all such layers
    at once and adds the KL; `kl_weight` is then ignored. In a plain
    `keras.Model` the layer draws for itself, a new draw in each training step,
    and the KL, times `kl_weight`, joins the training loss. (A layer called
    twice in a step draws, and adds its KL, twice; in `TimeDistributed`, once
    for each time step, it is refused.) Outside training it stays at one draw:
    a prediction is that of one network, whatever the batch.

    Args:
        layer: the Keras layer to wrap, a whole `Sequential` included.
        posterior: recipe of the posterior, such as
            `bbh_tf.posteriors.Implicit()`; the layer makes its own from it.
            As in Keras, layers of equal shapes start alike where they are
            given one seeded initialiser; under `bayesify` they do not.
        prior: None for N(0, 1), a scalar `tfp` distribution, a
            `bbh_tf.posteriors.AsPrior`, or what `bbh_tf.priors.get` takes.
        kl_weight: weight of the KL in the loss of a plain model, 1 / number
            of training examples; 0 for no KL, and None for none and a
            warning.
        divergence: estimate of the KL in a plain model; None for
            `bbh_tf.divergences.KernelKL()`.
        num_samples: posterior samples, and prior samples, of that estimate;
            of the latter at least 20, max(`num_samples`, 20), under a
            `KernelKL` of several neighbours.
        seed: seed of the layer's own draws in a plain model; None for a random
            one. Layers of one seed draw from the same noise there, whatever
            their posteriors share: to draw independently they need different
            seeds.
        sublayers: names of the inner layers whose weights are random (or
            these layers, where `layer` is built); None for all.
        **kwargs: `name`, `dtype` (of the wrapped layer too), `trainable`.

    Raises:
        ValueError: if an argument is invalid, or the layer is the cell of
            a recurrent layer (wrap the recurrent layer) or Bayesian already.

    Example:

    ```python
    bbh_tf.layers.Bayesian(
        keras.layers.Dense(10),
        posterior=bbh_tf.posteriors.MeanField(),
        kl_weight=1 / 60_000,
        divergence=bbh_tf.divergences.AnalyticKL(),
    )
    ```

    References: Pawlowski et al., arXiv:1711.01297, Sec. 2.
    """

    is_wrapper = True
    has_kl = True
    kl_weight = settings.Setting("float64", checks.check_factor, True)

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
        wrapped.check_layer(layer, Bayesian)
        # Keras reads the call's signature in Layer.__init__: that of the
        # wrapped layer, so that masks, states and several inputs pass.
        object.__setattr__(self, "call", self._make_call(layer))
        dtype = kwargs.pop("dtype", None)
        super().__init__(dtype=dtype or layer.dtype_policy, **kwargs)
        if dtype is not None:
            for inner in selection.sublayers_of(layer):
                inner.dtype_policy = self.dtype_policy
        self.layer = layer
        self.posterior = posteriors.get(posterior)
        prior = priors.get(prior)
        # In a function, or Keras would take one with variables for a part of
        # this layer. Its own is made when it is built.
        self._given_prior = lambda: prior
        self._prior = None
        self.divergence = divergences.get(divergence)
        if kl_weight is not None:
            total_kl.check_stateless(self.divergence)
        self.kl_weight = kl_weight
        checks.check_count("num_samples", num_samples)
        self.num_samples = int(num_samples)
        self.divergence.num_draws(self.num_samples)
        self.kept_seed = randomness.KeptSeed(seed)
        self.sublayers = selection.names_of(sublayers)
        # Saved, since a random layer may be frozen later on.
        self._random_indices = None
        if layer.built:
            self._random_indices = weight_specs.random_indices(
                layer, sublayers, self.posterior
            )
        self.supports_masking = layer.supports_masking

    def __call__(self, *args, **kwargs):
        """Calls the wrapped layer on a draw of its weights."""
        # Keras says that a loaded layer is built, whether or not it is.
        if not self.posterior.built:
            if not self._wraps_built():
                symbolic_args, symbolic_kwargs = keras.tree.map_structure(
                    signatures.to_symbolic, (args, kwargs)
                )
                self.layer(*symbolic_args, **symbolic_kwargs)
            self.build()
        return super().__call__(*args, **kwargs)

    def build(self, *args, **kwargs):
        """Builds the wrapped layer and the posterior of its weights.

        It takes the shapes that the wrapped layer's `build` takes.

        Raises:
            ValueError: if the layer has no weights that can be random, or one
                that it constrains.
            MemoryError: if the posterior does not fit in memory.
        """
        if not self._wraps_built():
            self.layer.build(*args, **kwargs)
        if self._random_indices is None:
            self._random_indices = weight_specs.random_indices(
                self.layer, self.sublayers, self.posterior
            )
        wrapped.check_weights(
            self.layer, self.posterior, self.replaced_variables
        )
        specs = weight_specs.specs_of(self.layer, self.replaced_variables)
        self.posterior.build(specs)
        self._random_specs = self.posterior.random_specs(specs)
        with own_types.own_types():
            self._prior = self._given_prior().for_layer(self._random_specs)
        if not self._trainable:
            # Keras freezes no part of a layer that was made frozen.
            for part in self._layers:
                part.trainable = False
        self._freeze_replaced()
        for inner in selection.sublayers_of(self.layer):
            # Keras quantises what is inside, and asks nobody else.
            object.__setattr__(inner, "quantize", self.quantize)
        self.draw_number = drawing.add_counter(self, "draw_number")
        if self.kl_weight is not None:
            self.divergence.check([self.pair()])

    @property
    def seed(self):
        """The seed of the layer's own draws; it is loaded with weights."""
        return self.kept_seed.value

    @property
    def prior(self):
        """The prior: as given at first, the layer's own when it is built."""
        return self._given_prior() if self._prior is None else self._prior

    @property
    def replaced_variables(self):
        """The variables of the wrapped layer whose values are drawn."""
        if not self._wraps_built():
            return []
        # Not kept: Keras would count them as this layer's own.
        places = self._random_indices or ()
        return [self.layer.weights[index] for index in places]

    def draw(self, num_samples, key, position=0, first=0):
        """Draws the weights; see `RandomLayer.draw`."""
        return self.posterior.draw(num_samples, key, position, first)

    def training_draw(self, num_samples, key, position=0):
        """Draws the weights, for training as for prediction."""
        return self.draw(num_samples, key, position)

    def draw_size(self):
        """Returns how many weights a draw holds."""
        return sum(math.prod(v.shape) for v in self.replaced_variables)

    def pair(self, draw=None):
        """Returns posterior and prior; see `RandomLayer.pair`."""
        return divergences.Pair(
            self.name, self.posterior, self.prior, self._random_specs, draw
        )

    def plain_layer(self):
        """Makes a copy of the wrapped layer; see `RandomLayer.plain_layer`."""
        return copying.copy_of(self.layer)

    def plain_values(self, weights):
        """Puts a draw among the wrapped layer's variables."""
        drawn = dict(zip(map(id, self.replaced_variables), weights))
        return [drawn.get(id(v), v) for v in self.layer.variables]

    def as_prior(self):
        """Returns the posterior as an `AsPrior`; see `RandomLayer.as_prior`."""
        return posteriors.AsPrior(self.posterior)

    def parameter_report(self):
        """Describes the posterior; see `Posterior.parameter_report`."""
        return self.posterior.parameter_report()

    def _wraps_built(self):
        # A layer without a `build` of its own has its weights once called.
        places = self._random_indices or (-1,)
        return self.layer.built and max(places) < len(self.layer.weights)

    def _make_call(self, layer):
        def call(*args, **kwargs):
            return self.run(*args, **kwargs)

        call.__signature__ = signatures.with_training(layer.call)
        return call

    def run(self, *args, **kwargs):
        """Runs the wrapped layer on a draw, its own where nobody draws."""
        training = kwargs.get("training")
        if not signatures.takes_training(self.layer.call):
            kwargs.pop("training", None)
        if drawing.is_drawn(self):
            return self.layer(*args, **kwargs)
        if training:
            time_steps.check_none(self)
        return alone.call(self, bool(training), args, kwargs)

    def compute_output_spec(self, *args, **kwargs):
        """Returns the wrapped layer's output, without drawing weights."""
        if not signatures.takes_training(self.layer.call):
            kwargs.pop("training", None)
        return self.layer.compute_output_spec(*args, **kwargs)

    def compute_output_shape(self, *args, **kwargs):
        """Returns the shape of the wrapped layer's output."""
        return self.layer.compute_output_shape(*args, **kwargs)

    def compute_mask(self, inputs, previous_mask=None):
        """Returns the wrapped layer's mask."""
        return self.layer.compute_mask(inputs, previous_mask)

    @property
    def trainable(self):
        """Whether the posterior, and what else is in the layer, is trained."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        keras.layers.Layer.trainable.fset(self, value)
        if self.posterior.built:
            self._freeze_replaced()

    def _freeze_replaced(self):
        for variable in self.replaced_variables:
            selection.replace(variable)

    def quantize(self, mode=None, **kwargs):
        """Refuses: draws stand in for the weights that would be quantised.

        Raises:
            ValueError: always.
        """
        del kwargs
        raise ValueError(
            f"Bayesian layer {self.name!r} has no weights to quantise, its "
            "draws have: quantise an ordinary network, such as "
            f"BayesianModel.draw(); got {mode!r}."
        )
